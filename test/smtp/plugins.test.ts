import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { run } from "../lib/program.ts";
import { compileRecorder } from "../lib/smtp-pair.ts";
import { makeWorld, type World } from "../lib/world.ts";

// What programs written for qmail-spp and the RCPTCHECK patch see and cause. Expected values: runs of those.

let world: World;
let env: Record<string, string>;
const file = (name: string) => join(world.home, name);
beforeAll(() => {
  world = makeWorld();
  world.control("me", "mx.example\n");
  world.control("rcpthosts", "ours.example\n");
  env = {
    ...world.env,
    PATH: "/usr/bin:/bin",
    TCPREMOTEIP: "192.0.2.1",
    QMAILQUEUE: compileRecorder(world.home),
    RECORD: file("record"),
  };
  mkdirSync(file("plugins"));
});
afterAll(() => world.remove());
beforeEach(() => {
  for (const name of ["record", "control/smtpplugins", "seen"]) rmSync(file(name), { force: true });
});

/** A plug-in in the shell; its name in control/smtpplugins. */
function plugin(name: string, script: string): string {
  writeFileSync(file(`plugins/${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(file(`plugins/${name}`), 0o755);
  return `plugins/${name}`;
}

const MAIL = ["MAIL FROM:<joe@a>", "RCPT TO:<ann@ours.example>"];
const DATA = ["DATA", "Subject: x", "", "body", "."];

async function served(lines: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const input = `${[...lines, "QUIT"].join("\r\n")}\r\n`;
  const { stdout, stderr, code } = await run("qmail-smtpd", [], { env: { ...env, ...more }, input });
  return { replies: stdout.split("\r\n").slice(1, -2), greeting: stdout.split("\r\n")[0], stderr, code };
}

describe("qmail-spp", () => {
  test("environment and descriptors: 0 is closed, 1 a pipe, the directory is the qmail home", async () => {
    const look = plugin(
      "look",
      `{ env | grep ^SMTP | sort; pwd; [ -e /proc/$$/fd/0 ] || echo closed; } >seen`,
    );
    world.control("smtpplugins", `[rcpt]\n${look}\n`);
    expect((await served(["HELO me", ...MAIL])).replies.at(-1)).toBe("250 ok");
    expect(readFileSync(file("seen"), "latin1")).toBe(
      `SMTPHELOHOST=me\nSMTPMAILFROM=joe@a\nSMTPRCPTCOUNT=0\nSMTPRCPTCOUNTALL=1\nSMTPRCPTHOSTSOK=1\nSMTPRCPTTO=ann@ours.example\n${world.home}\nclosed\n`,
    );
  });

  test.each<[string, string, string, string]>([
    ["a line for the shell", "[mail]\n:echo E550 no\n", "", "550 no"],
    ["a path", "[mail]\nplugins/p\n", "echo E550 no", "550 no"],
    ["a comment, another section", "# x\n[data]\nplugins/p\n", "echo E550 no", "250 ok"],
    ["two, in their order", "[mail]\n:echo P250-first\nplugins/p\n", "echo E550 second", "250-first"],
    ["no PATH search", "[mail]\nenv\n", "", "451 qmail-spp failure: env: can't execute (#4.3.0)"],
    [
      "killed",
      "[mail]\nplugins/p\n",
      "kill -9 $$",
      "451 qmail-spp failure: plugins/p: child crashed (#4.3.0)",
    ],
    ["more than it should say", "[mail]\nplugins/p\n", "yes X | head -c 10000; echo E550 no", "550 no"],
  ])("%s", async (_, config, script, reply) => {
    plugin("p", script);
    world.control("smtpplugins", config);
    expect((await served(["MAIL FROM:<joe@a>"])).replies[0]).toBe(reply);
  });

  test("H adds a field, S a variable for qmail-queue", async () => {
    world.control("smtpplugins", "[mail]\n:echo 'HX-Plugin: yes'; echo SX=1; echo URELAYCLIENT\n");
    await served([...MAIL, ...DATA], { RELAYCLIENT: "" });
    const queued = readFileSync(file("record"), "latin1");
    expect(queued).toContain(" -0000\nX-Plugin: yes\nSubject: x\n");
    expect(queued.split("\0")).toContain("X=1");
    expect(queued).not.toContain("RELAYCLIENT");
  });

  test("the sections of a message, and qmail-queue, see what was said before", async () => {
    const show = (event: string) => `:echo ${event} $SMTPHELOHOST,$SMTPMAILFROM,$SMTPRCPTTO >>seen`;
    const sections = ["connection", "helo", "mail", "rcpt", "data"];
    world.control("smtpplugins", sections.map((name) => `[${name}]\n${show(name)}\n`).join(""));
    await served(["HELO me", ...MAIL, ...DATA]);
    expect(readFileSync(file("seen"), "latin1").split("\n").slice(0, -1)).toEqual([
      "connection ,,",
      "helo me,,",
      "mail me,joe@a,",
      "rcpt me,joe@a,ann@ours.example",
      "data me,joe@a,ann@ours.example",
    ]);
    expect(readFileSync(file("record"), "latin1").split("\0")).toContain("SMTPMAILFROM=joe@a");
  });

  // What published plug-ins do: their own protocol, in short.
  const PUBLISHED: [string, string, string, string[], string[]][] = [
    [
      "a HELO is required of strangers",
      "mail",
      '[ -n "$RELAYCLIENT$SMTPHELOHOST" ] || echo E503 Please say HELO first; echo',
      ["MAIL FROM:<a@b>", "HELO x", "MAIL FROM:<a@b>"],
      ["503 Please say HELO first", "250 mx.example", "250 ok"],
    ],
    [
      "the extension of an address is removed",
      "rcpt",
      `case $SMTPRCPTTO in *+*@*) echo "C\${SMTPRCPTTO%%+*}@\${SMTPRCPTTO#*@}";; esac`,
      ["MAIL FROM:<a@b>", "RCPT TO:<ann+list@ours.example>", ...DATA],
      ["250 ok", "250 ok", "354 go ahead", "250 ok N"],
    ],
    [
      "wrong recipients are counted in a variable",
      "rcpt",
      `case $SMTPRCPTTO in ann@*) ;; *) echo "SWRONG=$((WRONG + 1))"; [ "\${WRONG:-0}" -lt 1 ] || echo R421 too many; echo E511 no mailbox;; esac`,
      [
        "MAIL FROM:<a@b>",
        "RCPT TO:<x@ours.example>",
        "RCPT TO:<ann@ours.example>",
        "RCPT TO:<y@ours.example>",
      ],
      ["250 ok", "511 no mailbox", "250 ok", "421 too many"],
    ],
    [
      "a list of senders is accepted without further plug-ins, and marked",
      "mail",
      "case $SMTPMAILFROM in a@b) echo HX-List: white; echo Swhite=1; echo A;; *) echo E451 greylisted;; esac",
      ["MAIL FROM:<c@d>", "MAIL FROM:<a@b>", "RCPT TO:<ann@ours.example>", ...DATA, "MAIL FROM:<c@d>"],
      ["451 greylisted", "250 ok", "250 ok", "354 go ahead", "250 ok N", "250 ok"],
    ],
    [
      "a text without a status code, and without LF",
      "rcpt",
      'printf "EA transient error occurred."',
      MAIL,
      ["250 ok", "A transient error occurred"],
    ],
  ];
  test.each(PUBLISHED)("%s", async (_, section, script, lines, replies) => {
    world.control("smtpplugins", `[${section}]\n${plugin("p", script)}\n`);
    const got = await run("qmail-smtpd", [], { env, input: `${[...lines, "QUIT"].join("\r\n")}\r\n` });
    const end = got.stdout.endsWith("221 mx.example\r\n") ? -2 : -1;
    expect(
      got.stdout
        .replace(/ok \d+ qp \d+/, "ok N")
        .split("\r\n")
        .slice(1, end),
    ).toEqual(replies);
    const queued = existsSync(file("record")) ? readFileSync(file("record"), "latin1") : "";
    if (script.includes("HX-List")) expect(queued).toContain("\nX-List: white\n");
    if (script.includes('echo "C')) expect(queued).toContain("\0Tann@ours.example\0");
  });

  test("off with NOSPP; another file with SPPCONFFILE, which has to be there", async () => {
    world.control("smtpplugins", "[connection]\n:echo E554 no\n");
    world.control("others", "[connection]\n:echo E555 other\n");
    expect((await served([], { NOSPP: "" })).greeting).toBe("220 mx.example ESMTP");
    expect((await served([])).greeting).toBe("554 no");
    expect((await served([], { SPPCONFFILE: "control/others" })).greeting).toBe("555 other");
    expect((await served([], { SPPCONFFILE: file("control/others") })).greeting).toBe("555 other");
    const missing = await served([], { SPPCONFFILE: "control/missing" });
    expect([missing.greeting, missing.code]).toEqual(["421 unable to read controls (#4.3.0)", 1]);
  });

  test("a plug-in that does not read or write on the connection of the client", async () => {
    world.control("smtpplugins", "[mail]\n:cat; echo >&2 to the log\n");
    const { replies, stderr } = await served(MAIL);
    expect([replies, stderr]).toEqual([["250 ok", "250 ok"], expect.stringContaining("to the log\n")]);
  });
});

describe("RCPTCHECK", () => {
  test.each<[string, string, string]>([
    ["exit 0", "250 ok", "250 ok"],
    ["exit 1", "250 ok", "250 ok"],
    ["exit 100", "553 sorry, no mailbox here by that name. (#5.1.1)", "250 ok"],
    ["exit 111", "421 unable to verify recipient (#4.3.0)", ""],
    ["exit 120", "421 unable to execute recipient check (#4.3.0)", ""],
    ["kill -9 $$", "421 unable to execute recipient check (#4.3.0)", ""],
    [
      'test "$SENDER $RECIPIENT $HELO" != "joe@a ann@ours.example me" || exit 100',
      "553 sorry, no mailbox here by that name. (#5.1.1)",
      "250 ok",
    ],
    ["cat; echo 250 injected", "250 ok", "250 ok"],
  ])("%s", async (script, reply, next) => {
    const RCPTCHECK = file(plugin("check", script));
    const { replies } = await served(["HELO me", ...MAIL, "NOOP"], { RCPTCHECK });
    expect(replies.slice(2, 4)).toEqual(next === "" ? [] : [reply, next]);
    if (next === "")
      expect(
        (await run("qmail-smtpd", [], { env: { ...env, RCPTCHECK }, input: `${MAIL.join("\r\n")}\r\n` }))
          .stdout,
      ).toContain(`${reply}\r\n`);
  });

  test("not for clients that may relay, and hosts that are not ours", async () => {
    const RCPTCHECK = file(plugin("check", "exit 100"));
    expect((await served(MAIL, { RCPTCHECK, RELAYCLIENT: "" })).replies.at(-1)).toBe("250 ok");
    expect((await served(["MAIL FROM:<>", "RCPT TO:<a@b>"], { RCPTCHECK })).replies.at(-1)).toMatch(
      /rcpthosts/,
    );
  });
});

test("the checkpassword program in the arguments, as with the patches for AUTH", async () => {
  world.control("smtpd", "auth plain\nauth_clear yes\n");
  const checker = file(plugin("checker", `tr '\\0' ' ' <&3 | grep -q '^joe secret ' && exec "$@"`));
  const ask = async (password: string) => {
    const input = `AUTH PLAIN ${btoa(`\0joe\0${password}`)}\r\n`;
    const got = await run("qmail-smtpd", [checker, "true"], { env, input });
    return { reply: got.stdout.split("\r\n")[1], ms: got.ms };
  };
  expect((await ask("secret")).reply).toBe("235 ok, go ahead (#2.7.0)");
  const wrong = await ask("wrong");
  expect(wrong.reply).toBe("535 authentication failed (#5.7.8)");
  expect(wrong.ms).toBeGreaterThan(4900);
}, 20_000);

import { decideAgain } from "@qmail-mysql/connection";
import { drive, type Extension, environmentOf, newSession, serve } from "@qmail-mysql/smtp";
import { describe, expect, test } from "vitest";
import { memoryPorts, smtpSettings } from "../../../test/lib/smtp-ports.ts";
import { type Configured, type ExtensionPorts, extensionsOf } from "./extensions.ts";
import { parsePlugins } from "./plugin-config.ts";
import { STOCK } from "./settings.ts";

interface Given {
  readonly settings?: Partial<Configured["settings"]>;
  readonly plugins?: string;
  /** What a plug-in prints, by its name, or its exit code. */
  readonly output?: Readonly<Record<string, string | number>>;
  readonly crashes?: boolean;
  readonly badMailFrom?: readonly string[];
  readonly environment?: readonly string[];
  readonly unknown?: readonly string[];
  readonly dataBytes?: number;
  readonly blocked?: { readonly reply: string; readonly timeout: number };
}

/** Serves a client that sends `lines`; its replies without the greeting, and what the world was told. */
async function served(lines: readonly string[], given: Given = {}) {
  const log: string[] = [];
  const pauses: number[] = [];
  const attempts: string[] = [];
  const memory = memoryPorts([lines.join("\r\n").concat("\r\n")], {
    startTls(reply) {
      memory.show(reply);
      memory.send(["MAIL FROM:<a@b>\r\nEHLO again\r\n"]);
      return { protocol: "TLSv1.3", cipher: "x", serverName: "" };
    },
    pause: (ms) => void pauses.push(ms),
    log: (line) => void log.push(line),
  });
  const { blocked } = given;
  const extensionPorts: ExtensionPorts = {
    checkBlocklists: blocked && (async ({ ip }) => (ip === "192.0.2.9" ? undefined : blocked)),
    async authenticate({ login, password }) {
      attempts.push(`${login}:${password}`);
      if (login === "trouble") return { trouble: "no database" };
      return password === "secret" ? { accepted: { login, user: undefined } } : { refused: "wrong password" };
    },
    ownsSender: async (login, sender) => ({ owns: sender === `${login}@ours.example` }),
    checkRecipient: async ({ address }) => ({
      verdict: given.unknown?.includes(address) ? "unknown" : "deliverable",
      by: "",
    }),
    decideAgain: (entries, client) =>
      decideAgain(entries, client, { findRule: () => undefined, mayRelay: async () => false }),
    runPlugin(program, environment) {
      const seen = environment.entries().filter((entry) => /^(SMTP|X=)/.test(entry));
      log.push([program, ...seen].join(" "));
      const did = given.output?.[program] ?? "";
      if (typeof did === "number") return { output: "", code: did };
      return { output: did, code: given.crashes ? "crashed" : 0 };
    },
    runCheck: () => ({ output: "", code: 0 }),
  };
  const configured: Configured = {
    settings: { ...STOCK, ...given.settings },
    plugins: given.plugins === undefined ? undefined : parsePlugins(given.plugins),
    hasRcptCheck: false,
  };
  const extensions: Extension[] = extensionsOf(configured, extensionPorts);
  const session = newSession({
    settings: smtpSettings({ badMailFrom: new Set(given.badMailFrom), dataBytes: given.dataBytes ?? 0 }),
    ports: memory.ports,
    environment: environmentOf(given.environment ?? ["TCPREMOTEIP=192.0.2.1"]),
    extensions,
  });
  const code = await drive(serve(session));
  log.push(
    ...memory.environments.flat().filter((entry) => /^(SMTPAUTH|RELAYCLIENT|TCPREMOTEINFO)/.test(entry)),
  );
  const [greeting, ...replies] = memory.replies();
  return { code, replies, queued: memory.queued, log, pauses, attempts, greeting };
}

const LOGIN = Buffer.from("\0joe\0secret").toString("base64");
const WRONG = Buffer.from("\0joe\0wrong").toString("base64");
const MAIL = ["MAIL FROM:<a@b>", "RCPT TO:<x@ours.example>"];

describe("AUTH", () => {
  const clear = { auth: ["PLAIN", "LOGIN"], authClear: true } as const;
  test("is not offered, and refused, without TLS", async () => {
    const { replies, attempts } = await served(["EHLO x", `AUTH PLAIN ${LOGIN}`], {
      settings: { auth: ["PLAIN"] },
    });
    expect(replies.filter((line) => line.includes("AUTH"))).toEqual([]);
    expect(replies.at(-1)).toBe("538 encryption required for authentication (#5.7.11)");
    expect(attempts).toEqual([]);
  });

  test("PLAIN, then the client may relay, and qmail-queue sees the login", async () => {
    const got = await served(
      ["EHLO x", `AUTH PLAIN ${LOGIN}`, "MAIL FROM:<a@b>", "RCPT TO:<x@other.example>", "DATA", "", "."],
      { settings: clear },
    );
    expect(got.replies.slice(4)).toEqual([
      "250 8BITMIME",
      "235 ok, go ahead (#2.7.0)",
      "250 ok",
      "250 ok",
      "354 go ahead",
      "250 ok 1500000000 qp 1",
    ]);
    expect(got.log.toSorted()).toEqual([
      "RELAYCLIENT=",
      "SMTPAUTHMETHOD=plain",
      "SMTPAUTHUSER=joe",
      "TCPREMOTEINFO=joe",
    ]);
    expect(got.queued[0]).toContain(
      "Received: from unknown (HELO x) (joe@192.0.2.1)\n  by unknown with ESMTPA; ",
    );
  });

  test("LOGIN, with the lines of RFC 4954", async () => {
    const { replies, attempts } = await served(["AUTH LOGIN", btoa("joe"), btoa("secret"), "AUTH LOGIN"], {
      settings: clear,
    });
    expect(replies).toEqual([
      "334 VXNlcm5hbWU6",
      "334 UGFzc3dvcmQ6",
      "235 ok, go ahead (#2.7.0)",
      "503 you're already authenticated (#5.5.1)",
    ]);
    expect(attempts).toEqual(["joe:secret"]);
  });

  test.each<[string, string[], string]>([
    ["canceled", ["AUTH PLAIN", "*"], "501 auth exchange canceled (#5.7.0)"],
    ["not Base64", ["AUTH PLAIN x"], "501 malformed auth input (#5.5.2)"],
    ["a field is missing", [`AUTH PLAIN ${btoa("joe\0secret")}`], "501 malformed auth input (#5.5.2)"],
    ["to act as another", [`AUTH PLAIN ${btoa("ann\0joe\0secret")}`], "535 authentication failed (#5.7.8)"],
    ["another mechanism", ["AUTH GSSAPI"], "504 auth type unimplemented (#5.5.4)"],
    ["CRAM-MD5 was not asked for", ["AUTH CRAM-MD5"], "504 auth type unimplemented (#5.5.4)"],
    [
      "in a transaction",
      ["MAIL FROM:<>", `AUTH PLAIN ${LOGIN}`],
      "503 no auth during mail transaction (#5.5.1)",
    ],
    ["an endless response", ["AUTH PLAIN", "x".repeat(20_000)], "500 auth input too long (#5.5.6)"],
    [
      "no database",
      [`AUTH PLAIN ${btoa("\0trouble\0x")}`],
      "454 unable to check the login now, try again later (#4.7.0)",
    ],
  ])("%s", async (_, lines, reply) => {
    expect((await served(lines, { settings: clear })).replies.at(-1)).toBe(reply);
  });

  const AS_JOE = btoa("joe\0joe\0secret");
  const ACCEPTED = "235 ok, go ahead (#2.7.0)";
  test.each<[string, string[], string[]]>([
    [
      "LOGIN with the login in the command",
      [`AUTH LOGIN ${btoa("joe")}`, btoa("secret")],
      ["334 UGFzc3dvcmQ6", ACCEPTED],
    ],
    ["PLAIN in a line of its own, as oneself", ["AUTH PLAIN", AS_JOE], ["334 ", ACCEPTED]],
    [
      "canceled at the password, then accepted",
      ["AUTH LOGIN", btoa("joe"), "*", `AUTH PLAIN ${AS_JOE}`],
      ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "501 auth exchange canceled (#5.7.0)", ACCEPTED],
    ],
    [
      "wrong, then accepted",
      [`AUTH PLAIN ${WRONG}`, `AUTH PLAIN ${LOGIN}`, `AUTH PLAIN ${LOGIN}`],
      ["535 authentication failed (#5.7.8)", ACCEPTED, "503 you're already authenticated (#5.5.1)"],
    ],
    [
      "mail without a login is for our hosts only",
      [
        "MAIL FROM: <a@b>",
        "RCPT TO: <x@other.example>",
        "RSET",
        `AUTH PLAIN ${LOGIN}`,
        "MAIL FROM: <a@b>",
        "RCPT TO: <x@other.example>",
      ],
      [
        "250 ok",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "250 flushed",
        ACCEPTED,
        "250 ok",
        "250 ok",
      ],
    ],
  ])("%s", async (_, lines, replies) => {
    expect((await served(lines, { settings: clear })).replies).toEqual(replies);
  });

  test("three wrong passwords end the session; none is in the log", async () => {
    const got = await served(Array(4).fill(`AUTH PLAIN ${WRONG}`), {
      settings: { ...clear, authProgram: ["x"], log: "text" },
    });
    expect(got.replies).toEqual([
      ...Array(2).fill("535 authentication failed (#5.7.8)"),
      "421 too many failed logins (#4.7.0)",
    ]);
    expect(got.pauses).toEqual([5000, 5000, 5000]);
    expect(got.log).toEqual([
      'verdict=deferred at=end client=192.0.2.1 host=unknown helo=unknown reply="421 too many failed logins (#4.7.0)"',
    ]);
  });
});

describe("submission", () => {
  const settings = {
    submission: true,
    senderCheck: true,
    authRequired: true,
    auth: ["PLAIN"],
    authClear: true,
  } as const;
  test("requires a login", async () => {
    expect((await served(["MAIL FROM:<joe@ours.example>"], { settings })).replies).toEqual([
      "530 authentication required (#5.7.0)",
    ]);
  });
  test("whose address the sender is", async () => {
    const { replies } = await served(
      [`AUTH PLAIN ${LOGIN}`, "MAIL FROM:<ann@ours.example>", "MAIL FROM:<joe@ours.example>"],
      { settings },
    );
    expect(replies.slice(1)).toEqual([
      "550 sorry, this login may not send with that sender address (#5.7.1)",
      "250 ok",
    ]);
  });
  test.each([
    [
      "Subject: x\r\n\r\nDate: body",
      "Date: 14 Jul 2017 02:40:00 -0000\nMessage-ID: <1500000000000.1.192.0.2.1@unknown>\nSubject: x\n\nDate: body\n",
    ],
    ["date: x\r\nMESSAGE-ID:y\r\n\r\n", "date: x\nMESSAGE-ID:y\n\n\n"],
    ["", "Date: 14 Jul 2017 02:40:00 -0000\nMessage-ID: <1500000000000.1.192.0.2.1@unknown>\n\n"],
  ])("%j", async (message, expected) => {
    const { queued } = await served(
      [`AUTH PLAIN ${LOGIN}`, "MAIL FROM:<joe@ours.example>", "RCPT TO:<x@y>", "DATA", message, "."],
      { settings },
    );
    expect(queued[0]?.split("-0000\n").slice(1).join("-0000\n")).toBe(expected);
  });
});

describe("STARTTLS", () => {
  const settings = { startTls: "required" } as const;
  test("is required for mail", async () => {
    expect((await served(["NOOP", ...MAIL], { settings })).replies.slice(1, 2)).toEqual([
      "530 Must issue a STARTTLS command first (#5.7.0)",
    ]);
  });
  test("what was sent before is forgotten, also what came with it", async () => {
    const { replies } = await served(
      ["EHLO x", "STARTTLS", "MAIL FROM:<evil@b>", "RCPT TO:<x@ours.example>"],
      { settings },
    );
    expect(replies).toEqual([
      "250-mx.example",
      "250-PIPELINING",
      "250-STARTTLS",
      "250 8BITMIME",
      "220 ready for tls",
      "250 ok",
      "250-mx.example",
      "250-PIPELINING",
      "250 8BITMIME",
    ]);
  });
});

describe("SIZE and BDAT", () => {
  const settings = { size: true, chunking: true } as const;
  test.each([
    ["", "250 ok"],
    [" SIZE", "250 ok"],
    [" SIZE=", "250 ok"],
    [" SIZE=123", "250 ok"],
    [" BODY=8BITMIME SIZE=123", "250 ok"],
    [" SIZE=124", "552 sorry, that message size exceeds my databytes limit (#5.3.4)"],
    [" SIZE=99999999999999999999", "552 sorry, that message size exceeds my databytes limit (#5.3.4)"],
  ])("MAIL with the parameters %j where 123 bytes are the most", async (parameters, reply) => {
    const options = { settings: { size: true }, dataBytes: 123 };
    for (const sender of ["<a@b>", "a@b"])
      expect((await served([`MAIL FROM:${sender}${parameters}`], options)).replies).toEqual([reply]);
  });

  test("a message in chunks", async () => {
    const { replies, queued } = await served([...MAIL, "BDAT 8", "S: a\r\n\r\nBDAT 5 last", "b\nc\r\nNOOP"], {
      settings,
    });
    expect(replies).toEqual(["250 ok", "250 ok", "250 ok", "250 ok 1500000000 qp 1", "250 ok"]);
    expect(queued[0]?.split("-0000\n")[1]).toBe("S: a\n\nb\nc\n");
  });
  test.each<[string, string[], string[]]>([
    ["no count", ["BDAT x", "NOOP"], ["521 syntax error in BDAT (#5.5.4)"]],
    [
      "refused octets are not commands",
      ["BDAT 6 LAST", "QUIT", "NOOP"],
      ["503 MAIL first (#5.5.1)", "250 ok"],
    ],
    [
      "DATA in between",
      [...MAIL, "BDAT 0", "DATA"],
      ["250 ok", "250 ok", "250 ok", "503 BDAT LAST first (#5.5.1)"],
    ],
    [
      "RSET in between",
      [...MAIL, "BDAT 0", "RSET", "BDAT 0 LAST"],
      ["250 ok", "250 ok", "250 ok", "250 flushed", "503 MAIL first (#5.5.1)"],
    ],
    [
      "a bare CR",
      [...MAIL, "BDAT 4 LAST", "a\rb"],
      ["250 ok", "250 ok", "554 the message has a NUL, or a CR without LF (#5.6.0)"],
    ],
    [
      "too big",
      [...MAIL, "BDAT 12 LAST", "1234567890"],
      ["250 ok", "250 ok", "552 sorry, that message size exceeds my databytes limit (#5.3.4)"],
    ],
    [
      "announced",
      ["MAIL FROM:<a> SIZE=11"],
      ["552 sorry, that message size exceeds my databytes limit (#5.3.4)"],
    ],
  ])("%s", async (_, lines, replies) => {
    const got = await served(lines, { settings, dataBytes: 10 });
    expect(got.replies.slice(0, replies.length)).toEqual(replies);
    expect(got.queued).toEqual([]);
  });
});

describe("unknown recipients", () => {
  test("are refused with a growing delay, up to a limit", async () => {
    const rcpt = "RCPT TO:<nobody@ours.example>";
    const got = await served(["MAIL FROM:<>", ...Array(5).fill(rcpt), "RCPT TO:<x@ours.example>"], {
      settings: { recipientCheck: true, unknownLimit: 4 },
      unknown: ["nobody@ours.example"],
    });
    expect(got.replies).toEqual([
      "250 ok",
      ...Array(3).fill("550 sorry, no mailbox here by that name. (#5.1.1)"),
      "421 too many unknown recipients, goodbye (#4.3.0)",
    ]);
    expect(got.pauses).toEqual([1000, 2000, 3000]);
  });
});

describe("qmail-spp", () => {
  const all = "[connection]\nc\n[helo]\nh\n[mail]\nm\n[rcpt]\nr\n[data]\nd\n";
  const run = (output: Readonly<Record<string, string | number>>, lines = [...MAIL, "DATA", "", "."]) =>
    served(lines, { plugins: all, output });

  test("variables of each event; they remain for later ones", async () => {
    const { log } = await run({ m: "SX=1\n" }, ["HELO me", ...MAIL, "RCPT TO:<y@no>", "DATA", "", "."]);
    const helo = "SMTPHELOHOST=me";
    const rcpt = (address: string, accepted: number, all: number, isAllowed: number) =>
      `SMTPRCPTTO=${address} SMTPRCPTCOUNT=${accepted} SMTPRCPTCOUNTALL=${all} SMTPRCPTHOSTSOK=${isAllowed}`;
    expect(log.map((line) => line.split(" ").toSorted())).toEqual(
      [
        "c",
        `h ${helo}`,
        `m ${helo} SMTPMAILFROM=a@b`,
        `r ${helo} SMTPMAILFROM=a@b X=1 ${rcpt("x@ours.example", 0, 1, 1)}`,
        `r ${helo} SMTPMAILFROM=a@b X=1 ${rcpt("y@no", 1, 2, 0)}`,
        `d ${helo} SMTPMAILFROM=a@b X=1 ${rcpt("y@no", 1, 2, 0)}`,
      ].map((line) => line.split(" ").toSorted()),
    );
  });

  test("a client that has not said HELO has no SMTPHELOHOST", async () => {
    expect((await run({})).log[1]).toBe("m SMTPMAILFROM=a@b");
  });

  test("the next plug-in sees a changed address, and badmailfrom is about it", async () => {
    const options = { plugins: "[mail]\none\ntwo\n", badMailFrom: ["bad@b"] };
    const changed = await served(MAIL, { ...options, output: { one: "Cbad@b\n" } });
    expect(changed.log).toEqual(["one SMTPMAILFROM=a@b", "two SMTPMAILFROM=bad@b"]);
    expect(changed.replies.at(-1)).toMatch(/badmailfrom/);
    const exempt = await served(MAIL, { ...options, output: { one: "Cbad@b\nO\n" } });
    expect(exempt.replies.at(-1)).toBe("250 ok");
  });

  test("an error for later is sent until RSET or a message, and what is added to it then is not", async () => {
    const lines = ["MAIL FROM:<a@b>", "MAIL FROM:<a@b>", "RSET", "MAIL FROM:<a@b>"];
    const got = await served(lines, { plugins: "[helo]\nh\n[mail]\nm\n", output: { m: "LM551 later\n" } });
    expect(got.replies).toEqual(["250 ok", "551 later", "250 flushed", "250 ok"]);
    const message = ["RCPT TO:<x@ours.example>", "DATA", "", "."];
    const after = await run({ m: "LM551 later\n" }, ["MAIL FROM:<a@b>", ...message, "MAIL FROM:<c@d>"]);
    expect(after.replies.at(-1)).toBe("250 ok");
    const helo = ["HELO x", "MAIL FROM:<a@b>", "HELO x", "MAIL FROM:<a@b>"];
    const twice = await run({ h: "LM551 no\n" }, helo);
    expect(twice.replies).toEqual(["250 mx.example", "551 no", "250 mx.example", "551 no"]);
  });

  test("what it printed counts although it crashed", async () => {
    const crashed = await served(["MAIL FROM:<a@b>", "MAIL FROM:<a@b>"], {
      plugins: "[mail]\nm\n",
      output: { m: "A\n" },
      crashes: true,
    });
    expect(crashed.replies).toEqual(["451 qmail-spp failure: m: child crashed (#4.3.0)", "250 ok"]);
  });

  test.each<[string, Readonly<Record<string, string | number>>, string[]]>([
    ["E at RCPT", { r: "E550 5.1.1 no\n" }, ["250 ok", "550 5.1.1 no", "503 RCPT first (#5.5.1)"]],
    ["a last line without LF loses a byte", { r: "E550 no" }, ["250 ok", "550 n"]],
    ["R ends the session", { m: "R421 bye\n" }, ["421 bye"]],
    ["D says nothing", { m: "D\n" }, []],
    ["P goes on", { m: "P250-wait\n" }, ["250-wait", "250 ok", "250 ok"]],
    ["exit codes are ignored", { m: 100 }, ["250 ok", "250 ok"]],
    [
      "it cannot be executed",
      { m: 120 },
      ["451 qmail-spp failure: m: can't execute (#4.3.0)", "503 MAIL first (#5.5.1)"],
    ],
    ["L keeps an error for later", { m: "LD551 later\n" }, ["250 ok", "250 ok", "551 later"]],
    ["A ends all plug-ins", { c: "A\n", r: "E550 no\n" }, ["250 ok", "250 ok", "354 go ahead"]],
    ["N ends the chain", { r: "N\nE550 no\n" }, ["250 ok", "250 ok", "354 go ahead"]],
  ])("%s", async (_, output, replies) => {
    expect((await run(output)).replies.slice(0, Math.max(replies.length, 1))).toEqual(replies);
  });

  test("E at connection replaces the greeting, and the session goes on", async () => {
    const got = await run({ c: "E554 go away\n" });
    expect([got.greeting, got.replies[0]]).toEqual(["554 go away", "250 ok"]);
  });

  test("a plug-in that refuses a login leaves the client without it", async () => {
    const settings = { auth: ["PLAIN"], authClear: true } as const;
    const lines = [`AUTH PLAIN ${LOGIN}`, "MAIL FROM:<>", "RCPT TO:<x@other.example>"];
    const { replies } = await served(lines, { settings, plugins: "[auth]\na\n", output: { a: "E535 no\n" } });
    expect(replies).toEqual([
      "535 no",
      "250 ok",
      "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    ]);
  });

  test("the event after all checks sees only recipients that exist", async () => {
    const { log } = await served(
      ["MAIL FROM:<>", "RCPT TO:<nobody@ours.example>", "RCPT TO:<x@ours.example>"],
      {
        settings: { recipientCheck: true },
        unknown: ["nobody@ours.example"],
        plugins: "[pass]\np\n",
      },
    );
    expect(log.map((line) => /SMTPRCPTTO=(\S+)/.exec(line)?.[1])).toEqual(["x@ours.example"]);
  });

  test("C and O at RCPT, H in the message", async () => {
    const { queued, log } = await run({ r: "Cnew@elsewhere\nO\n", m: "HX-A: b\n" });
    expect(log.find((line) => line.startsWith("d "))).toContain(" SMTPRCPTTO=new@elsewhere");
    expect(queued[0]).toMatch(/^Fa@b\|Tnew@elsewhere\|\|Received: [\s\S]*-0000\nX-A: b\n\n$/);
  });
});

describe("XCLIENT", () => {
  const settings = { xclient: ["192.0.2."] };
  test("a proxy's right to relay is not its client's", async () => {
    const got = await served(
      ["XCLIENT NAME=c.example ADDR=198.51.100.1", "MAIL FROM:<>", "RCPT TO:<x@other.example>"],
      {
        settings,
        environment: ["TCPREMOTEIP=192.0.2.1", "RELAYCLIENT="],
      },
    );
    expect(got.replies).toEqual([
      "220 mx.example ESMTP",
      "250 ok",
      "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    ]);
  });
  test.each<[string, string[], string]>([
    ["without an address", ["XCLIENT NAME=c.example"], "501 bad XCLIENT attribute (#5.5.4)"],
    ["not an address", ["XCLIENT ADDR=c.example"], "501 bad XCLIENT attribute (#5.5.4)"],
    ["an unknown attribute", ["XCLIENT ADDR=198.51.100.1 X=y"], "501 bad XCLIENT attribute (#5.5.4)"],
    [
      "in a transaction",
      ["MAIL FROM:<>", "XCLIENT ADDR=198.51.100.1"],
      "503 no XCLIENT during mail transaction (#5.5.1)",
    ],
    [
      "a second command keeps the address",
      ["XCLIENT ADDR=198.51.100.1", "XCLIENT LOGIN=joe"],
      "220 mx.example ESMTP",
    ],
  ])("%s", async (_, lines, reply) => {
    expect((await served(lines, { settings })).replies.at(-1)).toBe(reply);
  });

  test("is for proxies, and their clients are none", async () => {
    const forbidden = "550 XCLIENT is not allowed (#5.7.0)";
    const environment = ["TCPREMOTEIP=198.51.100.1"];
    expect((await served(["XCLIENT ADDR=192.0.2.1"], { settings, environment })).replies).toEqual([
      forbidden,
    ]);
  });
});

test("a line for each message and refusal", async () => {
  const { log } = await served(
    ["RCPT x", ...MAIL, "DATA", "", ".", 'MAIL FROM:<"a b"@c>', "RCPT TO:<x@no>"],
    { settings: { log: "text" } },
  );
  const json = await served(["MAIL FROM:<a@b>", "RCPT TO:<x@no>"], { settings: { log: "json" } });
  expect(json.log.map((each) => JSON.parse(each))).toMatchObject([
    {
      verdict: "refused",
      at: "rcpt",
      client: "192.0.2.1",
      from: "a@b",
      to: "x@no",
      reply: expect.stringMatching(/^553/),
    },
  ]);
  expect(log).toEqual([
    'verdict=refused at=rcpt client=192.0.2.1 host=unknown helo=unknown reply="503 MAIL first (#5.5.1)"',
    'verdict=accepted at=data client=192.0.2.1 host=unknown helo=unknown from=a@b to=x@ours.example recipients=1 size=1 reply="250 ok 1500000000 qp 1"',
    `verdict=refused at=rcpt client=192.0.2.1 host=unknown helo=unknown from="a b@c" to=x@no recipients=0 size=0 reply="553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"`,
  ]);
});

test.each(["text", "json"] as const)("a password sent as a command is not in the log: %s", async (form) => {
  const { log, replies } = await served(["AUTH LOGIN", "am9l", "c2VjcmV0", "secret x"], {
    settings: { log: form },
  });
  expect(replies).toHaveLength(4);
  expect(log).toHaveLength(4);
  expect(log.join("\n")).not.toMatch(/c2vjcmv0|am9l|secret/i);
});

test("a client on a blocklist gets no further than the reply, as from rblsmtpd", async () => {
  const reply = "451 http://list.example";
  const got = await served(["EHLO x", ...MAIL, "DATA", "QUIT", "NOOP"], { blocked: { reply, timeout: 60 } });
  const OK = "250 rblsmtpd.local";
  expect([got.greeting, ...got.replies]).toEqual([
    "220 rblsmtpd.local",
    OK,
    OK,
    reply,
    reply,
    "221 rblsmtpd.local",
  ]);
  const at = await served(["EHLO x"], { blocked: { reply: "553 no", timeout: 0 } });
  expect([at.greeting, at.replies, at.code]).toEqual(["553 no", [], 0]);
});

describe("a client on a blocklist", () => {
  const blocked = { reply: "451 no", timeout: 60 };
  test("is refused if a proxy names it, also for what it has already sent", async () => {
    const got = await served(["XCLIENT ADDR=198.51.100.1", "RCPT TO:<x@y>", "QUIT", "NOOP"], {
      blocked,
      settings: { xclient: ["192.0.2.9"] },
      environment: ["TCPREMOTEIP=192.0.2.9"],
    });
    expect(got.greeting).toBe("220 mx.example ESMTP");
    expect(got.replies).toEqual(["220 rblsmtpd.local", "451 no", "221 rblsmtpd.local"]);
    expect([got.code, got.log]).toEqual([0, ['blocked client=198.51.100.1 reply="451 no"']]);
  });
});

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { overSocket, sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// qmail-smtpd as qmaild, with the users of a database.

const UID = 64800;

function makeUsers(world: World, sql: (text: string) => string): void {
  world.control("me", "h.example\n");
  world.control("rcpthosts", "h.example\n");
  sql(mailboxRow({ name: "ann", uid: UID, home: world.user("ann", UID), password: "secret" }));
}

async function replies(world: World, lines: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const got = await run("qmail-smtpd", [], {
    env: { ...world.env, TCPREMOTEIP: "192.0.2.1", ...more },
    input: `${lines.join("\r\n")}\r\n`,
    uid: QMAILD,
    gid: NOFILES,
  });
  return { stderr: got.stderr, replies: got.stdout.split("\r\n").slice(1, -1) };
}

const MAIL = ["MAIL FROM:<>", "RCPT TO:<ann@h.example>", "RCPT TO:<nobody@h.example>"];
const NO = "550 sorry, no mailbox here by that name. (#5.1.1)";

describe.skipIf(!isRoot)("recipients in SQLite", () => {
  const world = makeWorld();
  beforeAll(() => {
    makeUsers(world, sqlite.prepare(world).sql);
  });
  afterAll(() => world.remove());

  test.each<[string, string | undefined, string | undefined, Readonly<Record<string, string>>, string]>([
    ["recipient_check", "recipient_check yes\n", undefined, {}, NO],
    ["qmail-rcptcheck as a plug-in", undefined, `[rcpt]\n${BIN}/qmail-rcptcheck\n`, {}, NO],
    [
      "qmail-rcptcheck as RCPTCHECK",
      "",
      undefined,
      { RCPTCHECK: join(BIN, "qmail-rcptcheck") },
      "553 sorry, no mailbox here by that name. (#5.1.1)",
    ],
    ["a client that may relay", "recipient_check yes\n", undefined, { RELAYCLIENT: "" }, "250 ok"],
  ])("%s", async (_, smtpd, smtpplugins, more, reply) => {
    world.control("smtpd", smtpd ?? "");
    world.control("smtpplugins", smtpplugins ?? "");
    expect((await replies(world, MAIL, more)).replies).toEqual(["250 ok", "250 ok", reply]);
  });

  test("without the database it is 451, never 550", async () => {
    world.control("smtpd", "recipient_check yes\nlog text\n");
    world.control("smtpplugins", "");
    world.control("sqlserver", "driver sqlite\ndb /nonexistent/mail.db\n");
    const got = await replies(world, MAIL);
    expect(got.replies).toEqual(["250 ok", ...Array(2).fill("451 unable to verify recipient (#4.3.0)")]);
    expect(got.stderr).toMatch(/^qmail-smtpd: \d+ trouble: .*\n/);
  });
});

describe.skipIf(!isRoot)("logins through qmail-sqld", () => {
  const world = makeWorld();
  let sqld: RunningSqld;
  beforeAll(() => {
    makeUsers(world, overSocket.prepare(world).sql);
    world.control("smtpd", "auth plain\nauth_clear yes\nrecipient_check yes\n");
    sqld = startSqld(world);
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
  });
  const plain = (password: string) => `AUTH PLAIN ${btoa(`\0ann\0${password}`)}`;

  test("a right and a wrong password, then recipients anywhere", async () => {
    const got = await replies(world, [
      plain("wrong"),
      plain("secret"),
      "MAIL FROM:<ann@h.example>",
      "RCPT TO:<x@elsewhere.example>",
    ]);
    expect(got).toEqual({
      stderr: "",
      replies: ["535 authentication failed (#5.7.8)", "235 ok, go ahead (#2.7.0)", "250 ok", "250 ok"],
    });
  });

  test("submission: the sender is one of the login's addresses", async () => {
    world.control("submission", "auth plain\nauth_clear yes\nsubmission yes\n");
    const lines = [plain("secret"), "MAIL FROM:<bob@h.example>", "MAIL FROM:<ann-x@h.example>"];
    expect((await replies(world, lines, { SMTPDCONF: "control/submission" })).replies.slice(1)).toEqual([
      "550 sorry, this login may not send with that sender address (#5.7.1)",
      "250 ok",
    ]);
  });

  test("recipients through qmail-sqld", async () => {
    expect((await replies(world, MAIL)).replies).toEqual(["250 ok", "250 ok", NO]);
  });

  test("without qmail-sqld: try later", async () => {
    await sqld.stop();
    const got = await replies(world, [plain("secret"), ...MAIL]);
    expect(got.replies).toEqual([
      "454 unable to check the login now, try again later (#4.7.0)",
      "250 ok",
      ...Array(2).fill("451 unable to verify recipient (#4.3.0)"),
    ]);
    expect(got.stderr).not.toContain("secret");
  });
});

import { createHmac } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { sqlite } from "../lib/databases.ts";
import { children } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { startServer } from "../lib/server.ts";
import { connectSmtp } from "../lib/smtp-client.ts";
import { type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// No password is in a log, that of qmail-smtpd, of tcpserver-sql or of qmail-sqld.

const RIGHT = "Pa55-right-word";
const WRONG = "Pa55-wrong-word";
const SECRETS = [RIGHT, WRONG].flatMap((word) => [word, btoa(word), btoa(`\0ann\0${word}`)]);

describe.skipIf(!isRoot)("no password in a log", () => {
  const world = makeWorld();
  let sqld: RunningSqld;
  beforeAll(() => {
    world.control("me", "h.example\n");
    const { sql } = sqlite.prepare(world);
    sql(mailboxRow({ name: "ann", uid: 64800, home: world.user("ann", 64800), password: RIGHT }));
    sqld = startSqld(world);
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
  });

  test.each([
    ["exec'd", "text", []],
    ["exec'd", "json", []],
    ["a worker", "text", ["-w", "1"]],
    ["a worker", "json", ["-w", "1"]],
  ] as const)("%s, %s", async (_, form, workers) => {
    world.control("smtpd", `auth plain login cram-md5\nauth_clear yes\nlog ${form}\n`);
    const as = ["-u", String(QMAILD), "-g", String(NOFILES)];
    const args = ["-v", "-HRl0", ...as, ...workers, "127.0.0.1", "0", join(BIN, "qmail-smtpd")];
    const server = await startServer("tcpserver-sql", args, { env: world.env });
    const client = async () => {
      const made = await connectSmtp(server.port);
      await made.reply();
      return made;
    };
    for (const word of [WRONG, RIGHT]) {
      const expected = word === RIGHT ? /^235/ : /^535/;
      const plain = await client();
      expect(await plain.ask(`AUTH PLAIN ${btoa(`\0ann\0${word}`)}`)).toMatch(expected);
      const login = await client();
      await login.ask("AUTH LOGIN");
      await login.ask(btoa("ann"));
      expect(await login.ask(btoa(word))).toMatch(expected);
      const cram = await client();
      const challenge = atob((await cram.ask("AUTH CRAM-MD5")).slice(4));
      const digest = createHmac("md5", word).update(challenge).digest("hex");
      expect(await cram.ask(btoa(`ann ${digest}`))).toMatch(expected);
      const confused = await client();
      await confused.ask("AUTH XOAUTH2");
      expect(await confused.ask(btoa(word))).toMatch(/^502/);
      expect(await confused.ask(word)).toMatch(/^502/);
      for (const each of [plain, login, cram, confused]) each.socket.destroy();
    }
    const last = await client();
    await last.ask("AUTH LOGIN");
    await last.ask(btoa("ann"));
    last.socket.write(`${btoa(RIGHT)}\r\n`);
    for (const pid of children(server.pid)) process.kill(pid, "SIGABRT");
    await last.reply();
    await server.logged(/status \d*[1-9]/);
    await server.stop();
    const all = `${server.log()}${sqld.said()}`;
    expect(all).toMatch(/verdict"?[=:]"?refused/);
    expect(all).toMatch(/login: verdict=accepted/);
    for (const secret of SECRETS) {
      expect(all.toLowerCase()).not.toContain(secret.slice(0, 18).toLowerCase());
    }
  });
});

import { execFile } from "node:child_process";
import { chmodSync, chownSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeChecker, type PopServer, servePop, talk } from "../lib/pop-server.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64020; // joe of test/with-accounts.sh
const FIRST = "Subject: first\n\n.a dot\nlast\n";
const SECOND = "Subject: second\n\n\xe9 \xff\n";
const crlf = (text: string) => text.replaceAll("\n", "\r\n");

describe.skipIf(!isRoot)("POP3 by tcpserver", () => {
  const world = makeWorld();
  const home = world.user("joe", UID);
  const maildir = join(home, "Maildir");
  const checker = makeChecker(world, "joe", home);
  const chain = ["qmail-popup", "pop.test", checker, "qmail-pop3d-helper", "qmail-pop3d", "Maildir"];
  let server: PopServer;
  const login = "USER joe\r\nPASS secret\r\n";
  const listing = (dir: string) => readdirSync(join(maildir, dir)).sort();

  beforeAll(async () => {
    server = await servePop(world, chain);
  });
  afterAll(() => {
    server.stop();
    world.remove();
  });
  beforeEach(() => {
    for (const dir of ["new", "cur"]) {
      for (const name of listing(dir)) rmSync(join(maildir, dir, name));
    }
    deliver("new", "1.first", FIRST);
    deliver("cur", "2.second:2,S", SECOND);
  });

  let second = 1_500_000_000;
  function deliver(dir: string, name: string, text: string): void {
    const file = join(maildir, dir, name);
    writeFileSync(file, text, "latin1");
    chownSync(file, UID, UID);
    utimesSync(file, ++second, second);
  }

  describe("real clients", () => {
    const command = promisify(execFile);
    const curl = async (path: string, ...options: string[]) =>
      (
        await command(
          "curl",
          ["-sS", "-u", "joe:secret", `pop3://127.0.0.1:${server.port}/${path}`, ...options],
          { encoding: "latin1" },
        )
      ).stdout;

    test("curl, where APOP is not offered, sends user and password", async () => {
      world.control("pop3apop", "0\n");
      try {
        const greeting = /^\+OK \r\n/;
        expect(await talk(server.port, ["QUIT\r\n"])).toMatch(greeting);
        expect(await curl("")).toBe(`1 ${FIRST.length}\r\n2 ${SECOND.length}\r\n`);
      } finally {
        world.control("pop3apop", "1\n");
      }
    });

    test("curl, which prefers APOP, lists, fetches and deletes", async () => {
      expect(await curl("")).toBe(`1 ${FIRST.length}\r\n2 ${SECOND.length}\r\n`);
      expect(await curl("2")).toBe(`${crlf(SECOND)}\r\n`);
      expect(await curl("", "-X", "UIDL")).toBe("1 1.first\r\n2 2.second\r\n");
      await curl("1", "-X", "DELE", "-I");
      expect([listing("new"), listing("cur")]).toEqual([[], ["2.second:2,S"]]);
    });

    test("curl is refused with a wrong password", async () => {
      await expect(
        command("curl", ["-sS", "-u", "joe:wrong", `pop3://127.0.0.1:${server.port}/`]),
      ).rejects.toMatchObject({ code: 67 }); // CURLE_LOGIN_DENIED
    });

    test("Python's poplib", async () => {
      const script = `
import poplib, sys
p = poplib.POP3("127.0.0.1", ${server.port}, timeout=10)
assert sorted(p.capa()) == ["AUTH-RESP-CODE", "IMPLEMENTATION", "PIPELINING", "RESP-CODES", "TOP", "UIDL", "USER"], p.capa()
p.user("joe"); p.pass_("secret")
assert "TOP" in p.capa()
print(p.stat(), p.list()[1], p.uidl()[1], p.top(1, 1)[1], p.retr(2)[1])
p.dele(2); p.rset(); p.dele(1); p.quit()
`;
      const { stdout } = await command("python3", ["-c", script]);
      expect(stdout).toBe(
        `(2, ${FIRST.length + SECOND.length}) [b'1 ${FIRST.length}', b'2 ${SECOND.length}'] ` +
          "[b'1 1.first', b'2 2.second'] [b'Subject: first', b'', b'.a dot', b''] " +
          "[b'Subject: second', b'', b'\\xe9 \\xff', b'']\n",
      );
      expect([listing("new"), listing("cur")]).toEqual([[], ["2.second:2,S"]]);
    });

    test("fetchmail, keeping mail on the server by unique-id", async () => {
      const rc = join(world.home, "fetchmailrc");
      const inbox = join(world.home, "inbox");
      writeFileSync(
        rc,
        `poll 127.0.0.1 protocol pop3 service ${server.port} uidl auth password
 username joe password secret sslproto "" keep mda "cat >>${inbox}"\n`,
      );
      chmodSync(rc, 0o600);
      const fetch = () =>
        command("fetchmail", ["-f", rc, "--idfile", join(world.home, "ids"), "--invisible"], {
          env: { ...process.env, FETCHMAILHOME: world.home },
        });
      await fetch();
      const got = readFileSync(inbox, "latin1");
      expect(got).toContain("Subject: first");
      expect(got).toContain(".a dot\nlast\n");
      expect(got).toContain("\xe9 \xff\n");
      // nothing new: exit 1
      await expect(fetch()).rejects.toMatchObject({ code: 1 });
      expect(listing("cur")).toEqual(["1.first:2,", "2.second:2,S"]);
    });
  });

  test("commands sent all at once are all answered", async () => {
    const got = await talk(server.port, [`CAPA\r\n${login}STAT\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n`]);
    expect(got.replace(/<[^>]*>/, "<>")).toBe(
      "+OK <>\r\n+OK \r\nTOP\r\nUIDL\r\nUSER\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nIMPLEMENTATION qmail-mysql\r\n.\r\n" +
        `+OK \r\n+OK \r\n+OK 2 ${FIRST.length + SECOND.length}\r\n` +
        `+OK \r\nSubject: first\r\n\r\n..a dot\r\nlast\r\n\r\n.\r\n+OK \r\n+OK \r\n`,
    );
  });

  test("commands in single bytes are answered, too", async () => {
    const got = await talk(server.port, [..."USER joe\r\nPASS secret\r\nQUIT\r\n"], { wait: 1 });
    expect(got.replace(/<[^>]*>/, "<>")).toBe("+OK <>\r\n+OK \r\n+OK \r\n+OK \r\n");
  });

  test("the greeting is an APOP timestamp", async () => {
    const now = Date.now() / 1000;
    const [, time] = /^\+OK <[0-9]+\.([0-9]+)@pop\.test>\r\n$/.exec(await talk(server.port, [])) ?? [];
    expect(Math.abs(Number(time) - now)).toBeLessThan(5);
  });

  test("a refused login is told even to a client that has sent more already", async () => {
    const got = await talk(server.port, [`USER joe\r\nPASS x\r\n${"NOOP\r\n".repeat(2000)}`], {
      half: false,
    });
    expect(got).toMatch(/\+OK \r\n-ERR \[AUTH\] authorization failed\r\n$/);
  });

  describe("hostile input", () => {
    const big = 1 << 20;
    test.each([
      ["a line of 1 MB", `${"x".repeat(big)}\r\n`],
      ["1 MB without a line end", "x".repeat(big)],
      ["a password of 1 MB", `USER joe\r\nPASS ${"x".repeat(big)}\r\n`],
      ["1 MB of NULs", "\0".repeat(big)],
    ])("before login: %s ends the session", async (_, bytes) => {
      expect(await talk(server.port, [bytes])).toMatch(/-ERR line too long\r\n$/);
    });

    test.each([
      ["a line of 1 MB", `${"x".repeat(big)}\r\n`, "-ERR line too long\r\n"],
      ["NULs", "\0\0\0\n", "-ERR unimplemented\r\n"],
      ["bare LF", "NOOP\nNOOP\n", "+OK \r\n+OK \r\n"],
      ["bare CR", "NOOP\rNOOP\n", "-ERR unimplemented\r\n"],
      ["8-bit bytes", "\xff\xfe\r\n", "-ERR unimplemented\r\n"],
    ])("after login: %s is answered, the session goes on", async (_, bytes, expected) => {
      const got = await talk(server.port, [`${login}${bytes}LAST\r\nQUIT\r\n`]);
      expect(got.replace(/^.*\r\n/, "")).toBe(`+OK \r\n+OK \r\n${expected}+OK 0\r\n+OK \r\n`);
    });

    test.each([512, 1024, 4000])("a login of %d bytes is passed on and refused", async (n) => {
      const got = await talk(server.port, [`USER ${"u".repeat(n)}\r\nPASS ${"p".repeat(n)}\r\n`]);
      expect(got).toMatch(/\+OK \r\n-ERR \[AUTH\] authorization failed\r\n$/);
    });
  });

  test("nothing was said on the log, a password least of all", () => {
    expect(server.log()).toBe("");
  });
});

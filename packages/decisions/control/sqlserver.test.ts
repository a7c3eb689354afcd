import { describe, expect, test } from "vitest";
import { ControlError, keyValues, parseSqlServer } from "./index.ts";

const FILE = "/var/qmail/control/sqlserver";
const FAQ = "server localhost\nlogin qmail\npassword secret\ndb mail\n";
const parse = (text: string) => parseSqlServer(text, FILE);
const pairs = (text: string) => keyValues(text, FILE).map(({ key, value }) => [key, value]);

describe("a line", () => {
  test.each([
    ["key value", [["key", "value"]]],
    ["key=value", [["key", "value"]]],
    ["key = value", [["key", "value"]]],
    ["key\tvalue", [["key", "value"]]],
    [" \tkey \t value \t", [["key", "value"]]],
    ["key\t=\tvalue", [["key", "value"]]],
    ["KEY Value", [["key", "Value"]]],
    ["key value\r\n", [["key", "value"]]],
    ["key two words", [["key", "two words"]]],
    ["key a=b", [["key", "a=b"]]],
    ["key=a b", [["key", "a b"]]],
    ["key=", [["key", ""]]],
    ["key==x", [["key", "=x"]]],
    ["password #1!", [["password", "#1!"]]],
    ["# comment", []],
    ["   # comment", []],
    ["\n \n\t\n\r\n", []],
    ["", []],
    ["\xef\xbb\xbfkey value", [["key", "value"]]],
    // the second byte of U+00E0 (C3 A0) is a no-break space in latin1: it is not trimmed
    ["password \xc3\xa0", [["password", "\u00e0"]]],
    ["password \xe2\x80\xa8x", [["password", "\u2028x"]]],
  ])("%j", (text, expected) => {
    expect(pairs(text)).toEqual(expected);
  });

  test.each([
    ["login", 1, '"key value" or "key=value"'],
    ["db mail\n\n# x\nlogin\n", 4, '"key value" or "key=value"'],
    ["=value", 1, '"key value" or "key=value"'],
    ["password a\0b", 1, "no NUL"],
    ["password p\xe4ss", 1, "a value in UTF-8"],
  ])("%j is one message with file, line and what was expected", (text, line, expected) => {
    expect(() => keyValues(text, FILE)).toThrow(
      new ControlError(`${FILE} line ${line}: expected ${expected}`),
    );
  });

  test("numbers count every line of the file", () => {
    expect(keyValues("# one\n\nkey value\n", FILE)[0]?.line).toBe(3);
  });
});

describe("the old forms", () => {
  const expected = { servers: [{ host: "localhost", port: undefined }], login: "qmail", password: "secret" };
  test.each([
    ["one space", FAQ],
    ["one =", FAQ.replaceAll(" ", "=")],
    ["tabs", FAQ.replaceAll(" ", "\t")],
    ["CRLF", FAQ.replaceAll("\n", "\r\n")],
    ["no last line end", FAQ.trimEnd()],
    ["aliases", "host localhost\nuser qmail\npass secret\ndatabase mail\n"],
    ["aliases in capitals", "HOST localhost\nUser qmail\nPASS secret\nDatabase mail\n"],
  ])("%s", (_, text) => {
    expect(parse(text)).toMatchObject({ ...expected, db: "mail", driver: "mysql", warnings: [] });
  });

  test("missing keys have their defaults", () => {
    expect(parse("login q\ndb mail\n")).toEqual({
      driver: "mysql",
      servers: [{ host: "localhost", port: undefined }],
      login: "q",
      password: undefined,
      db: "mail",
      timeout: 5,
      tls: undefined,
      homeMismatch: "defer",
      suspendedMail: "deliver",
      funkyQueries: false,
      magicForwarding: false,
      relay: false,
      warnings: [],
    });
  });

  test("of a repeated key the last one counts", () => {
    expect(parse(`${FAQ}login other\n`).login).toBe("other");
  });
});

describe("server", () => {
  const servers = (lines: string) => parse(`login q\ndb d\n${lines}\n`).servers;
  test.each([
    ["server db1", [{ host: "db1", port: 3306 }]],
    ["server db1:3307", [{ host: "db1", port: 3307 }]],
    ["server db1\nport 3307", [{ host: "db1", port: 3307 }]],
    ["port 3307\nserver db1", [{ host: "db1", port: 3307 }]],
    ["server 192.0.2.1:3307\nport 3308", [{ host: "192.0.2.1", port: 3307 }]],
    ["server /run/mysqld/mysqld.sock", [{ socket: "/run/mysqld/mysqld.sock" }]],
    // localhost is the socket only with the default port, as in the C library
    ["server localhost", [{ host: "localhost", port: undefined }]],
    ["server LOCALHOST:3306", [{ host: "LOCALHOST", port: undefined }]],
    ["server localhost:3307", [{ host: "localhost", port: 3307 }]],
    ["server 2001:db8::1", [{ host: "2001:db8::1", port: 3306 }]],
    ["server ::1", [{ host: "::1", port: 3306 }]],
    ["server [2001:db8::1]:3307", [{ host: "2001:db8::1", port: 3307 }]],
    ["server [::1]", [{ host: "::1", port: 3306 }]],
    ["server fe80::1%eth0", [{ host: "fe80::1%eth0", port: 3306 }]],
    ["server db1, db2:3307 /s", [{ host: "db1", port: 3306 }, { host: "db2", port: 3307 }, { socket: "/s" }]],
    [
      "server db1\nserver db2",
      [
        { host: "db1", port: 3306 },
        { host: "db2", port: 3306 },
      ],
    ],
  ])("%j", (lines, expected) => {
    expect(servers(lines)).toEqual(expected);
  });

  test.each(["server db1:0", "server db1:65536", "server db1:x", "server be:ef", "server ,", "server [::1"])(
    "%j is no server",
    (line) => {
      expect(() => servers(line)).toThrow(
        `${FILE} line 3: server: expected a host, host:port or a socket's path`,
      );
    },
  );
});

describe("a value", () => {
  test.each([
    ["tls yes", { tls: { verify: "system" } }],
    ["tls Yes", { tls: { verify: "system" } }],
    ["tls no", { tls: undefined }],
    ["tls /etc/ssl/db.pem", { tls: { caFile: "/etc/ssl/db.pem" } }],
    ["timeout 30", { timeout: 30 }],
    ["home_mismatch alias", { homeMismatch: "alias" }],
    ["suspended_mail BOUNCE", { suspendedMail: "bounce" }],
    ["funky_queries yes", { funkyQueries: true }],
    ["magic_forwarding=yes", { magicForwarding: true }],
    ["relay yes", { relay: true }],
    ["password=", { password: "" }],
  ])("%s", (line, expected) => {
    expect(parse(`${FAQ}${line}\n`)).toMatchObject(expected);
  });

  test.each([
    ["driver oracle", "driver: expected mysql or sqlite"],
    ["timeout 0", "timeout: expected a whole number from 1 to 3600"],
    ["timeout 5s", "timeout: expected a whole number from 1 to 3600"],
    ["timeout 99999999999999999999", "timeout: expected a whole number from 1 to 3600"],
    ["port 65536", "port: expected a whole number from 1 to 65535"],
    ["tls ca.pem", "tls: expected yes, no or a CA file's absolute path"],
    ["home_mismatch bounce", "home_mismatch: expected alias or defer"],
    ["suspended_mail yes", "suspended_mail: expected deliver or defer or bounce"],
    ["funky_queries 1", "funky_queries: expected yes or no"],
    ["db=", "db: expected the database's name"],
    ["login=", "login: expected the database user"],
  ])("%s is one message with file, line and what was expected", (line, expected) => {
    expect(() => parse(`${FAQ}${line}\n`)).toThrow(new ControlError(`${FILE} line 5: ${expected}`));
  });

  test.each([
    ["db mail\n", 'no "login" line: expected the database user'],
    ["login q\n", 'no "db" line: expected the database\'s name'],
    ["driver sqlite\n", 'no "db" line: expected the database\'s file'],
    ["", 'no "login" line: expected the database user'],
  ])("%j lacks what is required", (text, expected) => {
    expect(() => parse(text)).toThrow(new ControlError(`${FILE}: ${expected}`));
  });

  test("sqlite needs its file and nothing else", () => {
    expect(parse("driver sqlite\ndb users/mail.db\n")).toMatchObject({
      driver: "sqlite",
      db: "users/mail.db",
    });
  });
});

test("an unknown key is a warning with its line", () => {
  expect(parse(`${FAQ}colour blue\nsocket /s\n`).warnings).toEqual([
    `${FILE} line 5: unknown key "colour"`,
    `${FILE} line 6: unknown key "socket"`,
  ]);
});

describe("garbage", () => {
  test.each([
    ["a line of a megabyte", "x".repeat(1 << 20)],
    ["a key of a megabyte", `${"x".repeat(1 << 20)} y`],
    ["a megabyte of blanks", `key${" ".repeat(1 << 20)}`],
    ["blanks within the limit", `key${" ".repeat(60_000)}`],
    ["NULs", "\0".repeat(1000)],
    ["all bytes", Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("")],
    ["a million lines", "\n".repeat(1 << 20)],
    ["settings without end", "x y\n".repeat(16_000)],
  ])("%s: a short ControlError, soon", (_, text) => {
    const started = performance.now();
    let message = "";
    try {
      parse(text);
    } catch (error) {
      expect(error).toBeInstanceOf(ControlError);
      message = (error as Error).message;
    }
    expect(message).toMatch(/^\/var\/qmail\/control\/sqlserver/);
    expect(message.length).toBeLessThan(200);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("no message contains what may be a password", () => {
    const text = `${FAQ}\nhunter2\n`;
    expect(() => parse(text)).toThrow(/^(?!.*hunter2)/);
    expect(parse(`${FAQ}Hunter2! x\n`).warnings).toEqual([`${FILE} line 5: unknown key`]);
  });
});

import { spawn } from "node:child_process";
import { chmodSync, chownSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { schemas } from "@qmail-mysql/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backendsAndSqld, sqlite } from "../lib/databases.ts";
import { type Delivered, deliver, type LocalCase, MAILDIR } from "../lib/deliver.ts";
import { BIN, run } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const PROGRAM = join(BIN, "qmail-local");
const MESSAGE = "Subject: x\n\nbody\n";

interface Address {
  readonly user?: string;
  readonly local?: string;
  readonly ext?: string;
  readonly host?: string;
}

/** A delivery to user-ext@host, which would go to ./default without rows and files. */
function to(
  { user = "iain", ext = "", host = "x.org", local }: Address,
  more: Partial<LocalCase> = {},
): LocalCase {
  const dash = ext === "" ? "" : "-";
  const args = [user, "@HOME@", local ?? `${user}${dash}${ext}`, dash, ext, host, "s@h", "./default"];
  return { args: ["--", ...args], files: MAILDIR, message: MESSAGE, ...more };
}

const rows = `INSERT INTO alias VALUES
  ('iain', 'list', '.', '/Maildir/'), ('iain', 'list', 'a', 'b.org'), ('iain', 'list', 'c', 'd.org'),
  ('iain', 'list', '|', 'echo program for $EXT'), ('iain', 'list', '/', 'nonexistent-dir/mbox'),
  ('iain', 'many', '.', '/Maildir/'), ('iain', 'many', '.', '/Maildir/'), ('iain', 'many', '.', '/Maildir/'),
  ('iain', 'many', '.', '/box'), ('iain', 'many', 'me', ''), ('iain', 'many', '|', 'wc -c; cat >/dev/null'),
  ('iain', '@', '|', 'echo "any <$DEFAULT>"'), ('iain', 'blank', '', ''), ('iain', 'blank', '.', '/Maildir/'),
  ('iain', 'fails', '.', '/Maildir/'), ('iain', 'fails', 'a', 'b.org'),
  ('iain', 'whole@x.org', 'w', 'x.org'), ('iain', 'gone', '.', '/Gone/'),
  ('Upper', '', 'u', 'b.org'), ('catchall', '@', '.', '/Maildir/'), ('old', '', '.', '/Maildir/'),
  ('iain', 'later', '.', '/Maildir/'), ('iain', 'later', '|', 'exit 111'),
  ('iain', 'bouncesaying', '.', '/Maildir/'), ('iain', 'bouncesaying', '|', 'echo no; exit 100'),
  ('iain', 'filter', '.', '/Maildir/'), ('iain', 'filter', 'a', 'b.org'), ('iain', 'filter', '|', 'exit 99'),
  ('alias', 'alias@bar.com', 'real', 'bar.com'), ('alias', 'both', 'short', 'b.org'),
  ('forward', '', 'address', 'external.com')`;

const delivered = `600 Return-Path: <s@h>\nDelivered-To: %\n${MESSAGE}`;
const inMaildir = (address: string) => ({ "Maildir/new/*": delivered.replace("%", address) });

describe.skipIf(!isRoot).each(backendsAndSqld)("alias rows over $name", ({ name, prepare }) => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = prepare(world, "magic_forwarding yes\n"));
    sql(rows);
  });
  afterAll(() => world.remove());

  const one = async (address: Address, more?: Partial<LocalCase>): Promise<Delivered> => {
    const env = world.env;
    const [result] = await deliver({ program: PROGRAM, uid: UID, env, cases: [to(address, more)] });
    return { code: -1, ...result, ...(result?.out && { out: result.out.replace(/qp \d+/, "qp PID") }) };
  };
  const forwarded = (address: string, envelope: string): Delivered => ({
    code: 0,
    out: `did 0+${envelope.split("T").length - 1}+0\nqp PID\n`,
    message: `Delivered-To: ${address}\n${MESSAGE}`,
    envelope: `${envelope.replaceAll(" ", "\0")}\0\0`,
  });

  test("maildirs, an mbox, a program and a forward of one message; each maildir file has a name of its own", async () => {
    const { files, ...rest } = await one({ ext: "many" });
    expect(rest).toEqual({
      code: 0,
      out: "17\ndid 4+1+1\nqp PID\n",
      message: `Delivered-To: iain-many@x.org\n${MESSAGE}`,
      envelope: "Fs@h\0Tme\0\0",
    });
    expect(Object.keys(files ?? {})).toEqual(["Maildir/new/*", "Maildir/new/*+", "Maildir/new/*++", "box"]);
  });

  test("a row that fails: nothing is forwarded, the files before it stay", async () => {
    expect(await one({ ext: "list" })).toEqual({
      code: 111,
      out: "program for list\n",
      err: "Unable to open /nonexistent-dir/mbox: file does not exist. (#4.2.1)\n",
      files: inMaildir("iain-list@x.org"),
    });
  });

  test.each([
    ["the user of a row counts in either case", { user: "upper" }, forwarded("upper@x.org", "Fs@h Tu@b.org")],
    ["the whole address", { ext: "whole" }, forwarded("iain-whole@x.org", "Fs@h Tw@x.org")],
    [
      "Qmail::Mysql",
      { user: "alias", ext: "alias", host: "bar.com" },
      forwarded("alias-alias@bar.com", "Fs@h Treal@bar.com"),
    ],
    [
      "Qmail::Mysql, multihosting",
      { user: "alias", ext: "alias@bar.com" },
      forwarded("alias-alias@bar.com@x.org", "Fs@h Treal@bar.com"),
    ],
    [
      "the FAQ's forward",
      { user: "forward", local: "virtual.com-user" },
      forwarded("virtual.com-user@x.org", "Fs@h Taddress@external.com"),
    ],
    [
      "magic forwarding",
      { user: "forward", local: "virtual.com-user", ext: "popaccount@hotmail.com" },
      forwarded("virtual.com-user@x.org", "Fs@h Tpopaccount@hotmail.com"),
    ],
    [
      "no magic for an address of a stranger's own making",
      { user: "forward", ext: "victim@example.com" },
      { code: 100, err: "Sorry, no mailbox here by that name. (#5.1.1)\n" },
    ],
    ["any extension", { ext: "Other" }, { code: 0, out: "any <Other>\ndid 0+0+1\n" }],
    [
      "the whole address at another host",
      { ext: "whole", host: "y.org" },
      { code: 0, out: "any <whole>\ndid 0+0+1\n" },
    ],
    ["no extension, and no row for that", {}, { code: 0, out: "any <>\ndid 0+0+1\n" }],
    [
      "the FAQ's catch-all",
      { user: "catchall", local: "virtual.com-who", ext: "@" },
      { code: 0, out: "did 1+0+0\n", files: inMaildir("virtual.com-who@x.org") },
    ],
    [
      "a catch-all of before 1.1.2",
      { user: "old", local: "virtual.com-who", ext: "@" },
      {
        code: 111,
        err: "MySQL misconfiguration: alias row ('old', '', '.', '/Maildir/') has a blank alias: for any extension it has to be '@'\n",
      },
    ],
    [
      "its blank alias as the user's own address",
      { user: "old" },
      { code: 0, out: "did 1+0+0\n", files: inMaildir("old@x.org") },
    ],
    [
      "a blank row is named, and nothing delivered",
      { ext: "blank" },
      {
        code: 111,
        err: "MySQL misconfiguration: alias row ('iain', 'blank', '', '') is blank: it says nothing about where the mail is to go\n",
      },
    ],
    ["a program that defers comes before the Maildir", { ext: "later" }, { code: 111 }],
    ["one that refuses, too", { ext: "bouncesaying" }, { code: 100, out: "no\n" }],
    ["one that takes the message is all that is done", { ext: "filter" }, { code: 0, out: "did 0+0+1\n" }],
    ["a vanished Maildir", { ext: "gone" }, { code: 111, err: "Unable to chdir to maildir. (#4.2.1)\n" }],
    [
      "no rows: the .qmail files",
      { user: "nobody", ext: "x" },
      { code: 100, err: "Sorry, no mailbox here by that name. (#5.1.1)\n" },
    ],
    // no neighbour's rows: collations fold accents and trailing blanks
    [
      "another user",
      { user: "ia\xc3\xadn", ext: "x" },
      { code: 100, err: "Sorry, no mailbox here by that name. (#5.1.1)\n" },
    ],
    [
      "another user still",
      { user: "catchall ", ext: "x" },
      { code: 100, err: "Sorry, no mailbox here by that name. (#5.1.1)\n" },
    ],
    [
      "bytes that are no text",
      { user: "nobody\xff", ext: "\xff" },
      { code: 100, err: "Sorry, no mailbox here by that name. (#5.1.1)\n" },
    ],
    ["an extension that is no text", { ext: "\xff" }, { code: 0, out: "any <\xff>\ndid 0+0+1\n" }],
  ] as readonly (readonly [string, Address, Delivered])[])("%s", async (_, address, expected) => {
    expect(await one(address)).toEqual(expected);
  });

  test("a failing forward defers; its reason is qmail-queue's", async () => {
    expect(await one({ ext: "whole" }, { env: { QUEUE_EXIT: "53" } })).toMatchObject({
      code: 111,
      err: "Unable to forward message: qq write error or disk full (#4.3.0).\n",
    });
  });

  test("the optional column position orders the rows, and NULL is 0", async () => {
    const old = makeWorld();
    const tables = prepare(old);
    tables.sql(`ALTER TABLE alias ADD position INTEGER;
      INSERT INTO alias VALUES ('iain', 'x', '.', '/Maildir/', NULL), ('iain', 'x', '|', 'ls Maildir/new | wc -l', 10),
        ('iain', 'x', '.', '/Maildir/', 9), ('iain', 'x', '|', 'ls Maildir/new | wc -l', -1)`);
    const [result] = await deliver({ program: PROGRAM, uid: UID, env: old.env, cases: [to({ ext: "x" })] });
    expect(result?.out).toBe("0\n2\ndid 2+0+2\n");
    tables.sql("UPDATE alias SET position = 1");
    const [after] = await deliver({ program: PROGRAM, uid: UID, env: old.env, cases: [to({ ext: "x" })] });
    expect(after?.out).toBe("0\n0\ndid 2+0+2\n");
    old.remove();
  });

  test("the question uses the index", () => {
    const question = schemas[name === "SQLite" ? "sqlite" : "mysql"].findAliasRows.sql.replaceAll("?", "'x'");
    const plan = sql(`EXPLAIN ${name === "SQLite" ? "QUERY PLAN " : ""}${question}`);
    expect(plan).toMatch(/alias_controlling|controlling/);
  });
});

describe.skipIf(!isRoot)("trouble", () => {
  const world = makeWorld();
  const { sql } = sqlite.prepare(world);
  sql(rows);
  afterAll(() => world.remove());
  const all = (cases: readonly LocalCase[], env = world.env) =>
    deliver({ program: PROGRAM, uid: UID, env, cases });

  test("a full disk: deferred, nothing in new/ or tmp/, an mbox as it was", async () => {
    const message = `Subject: big\n\n${"x".repeat(200_000)}\n`;
    const cases = [
      to({ user: "catchall", ext: "y" }, { disk: "64k", message }),
      to({ user: "nobody" }, { disk: "64k", message, files: { default: { text: "From old\n\nmail\n\n" } } }),
    ];
    expect(await all(cases)).toEqual([
      { code: 111, err: "Temporary error on maildir delivery. (#4.3.0)\n" },
      { code: 111, err: "Unable to write ./default: out of disk space. (#4.3.0)\n" },
    ]);
  });

  test("no database: deferred, nothing delivered, whatever the .qmail files say", async () => {
    const broken = makeWorld();
    broken.control("sqlserver", "driver sqlite\ndb users/none.db\n");
    const files = { ...MAILDIR, ".qmail": { text: "./Maildir/\n" } };
    const [result] = await all([to({}, { files })], broken.env);
    expect(result).toEqual({
      code: 111,
      err: `qmail-local: fatal: unable to open ${broken.home}/users/none.db: file does not exist\n`,
    });
    broken.remove();
  });

  test("a control/sqlserver that the user may not read: deferred, and the line names the way out", async () => {
    const closed = makeWorld();
    const file = closed.control("sqlserver", "driver sqlite\ndb users/mail.db\n");
    chmodSync(file, 0o600);
    const [result] = await all([to({})], closed.env);
    expect(result).toEqual({
      code: 111,
      err: `qmail-local: fatal: unable to read ${file} as uid ${UID}: access denied: run qmail-sqld and name its socket in control/sqld, or make the file readable for its users\n`,
    });
    closed.remove();
  });

  test("a message that cannot be rewound is deferred", async () => {
    const home = world.user("piped", UID);
    const args = ["piped", home, "piped", "", "", "h", "s", "./Maildir/"];
    const { code, stderr } = await run("qmail-local", args, { env: world.env, input: MESSAGE, uid: UID });
    expect([code, stderr]).toEqual([111, "Unable to rewind message. (#4.3.0)\n"]);
  });

  test("an mbox waits for whoever has locked it with flock(2); many writers lose nothing", async () => {
    const home = world.user("boxed", UID);
    const box = join(home, "box");
    writeFileSync(box, "");
    chownSync(box, UID, UID);
    const message = join(world.home, "message");
    writeFileSync(message, `Subject: x\n\n${"line\n".repeat(20_000)}From end`);
    const started = performance.now();
    const holder = spawn("flock", ["-x", box, "sleep", "1"], { stdio: "ignore" });
    await sleep(200);
    const writers = Array.from({ length: 8 }, () => {
      const args = ["boxed", home, "boxed", "", "", "h", "s", "./box"];
      const stdio = [openSync(message, "r"), "ignore", "ignore"] as const;
      const child = spawn(PROGRAM, args, { stdio: [...stdio], env: { ...world.env }, uid: UID, gid: UID });
      return new Promise((resolve) => child.on("exit", resolve));
    });
    expect(await Promise.all(writers)).toEqual(Array(8).fill(0));
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(holder.exitCode).toBe(0);
    const text = readFileSync(box, "latin1");
    expect(text.match(/^From s /gm)).toHaveLength(8);
    expect(text.match(/^(line\n){20000}>From end\n\n/gm)).toHaveLength(8);
  });
});

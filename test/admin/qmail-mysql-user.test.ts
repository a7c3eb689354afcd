import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backends, overSocket, sqlite } from "../lib/databases.ts";
import { BIN, type How, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;
const IDS = ["--uid", String(UID), "--gid", String(GID)];

/** qmail-mysql in a world; `input` is the password on descriptor 0. */
function admin(world: World, args: readonly string[], how: How = {}) {
  return run("qmail-mysql", args, { ...how, env: { ...world.env, ...how.env } });
}

test("the executable is no link to itself", () => {
  expect(lstatSync(join(BIN, "qmail-mysql")).isFile()).toBe(true);
  expect(lstatSync(join(BIN, "qmail-getpw")).isSymbolicLink()).toBe(true);
});

describe.each(backends)("mailboxes over $name", ({ prepare }) => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = prepare(world));
    sql("DROP TABLE mailbox; DROP TABLE alias; DROP TABLE `virtual`; DROP TABLE rcpthosts;");
  });
  afterAll(() => world.remove());
  const row = (name: string) =>
    sql(
      `SELECT username, uid, gid, home, password, password_type, suspended FROM mailbox WHERE username = '${name}'`,
    )
      .trimEnd()
      .split("\t");

  test("without tables it names the command to run", async () => {
    const got = await admin(world, ["user", "list"]);
    expect([got.code, got.stdout]).toEqual([111, ""]);
    expect(got.stderr).toMatch(/mailbox.*; fix: qmail-mysql init\n$/m);
  });

  test("init makes the tables of the FAQ, and a second time changes nothing", async () => {
    expect((await admin(world, ["init"])).code).toBe(0);
    sql(`${mailboxRow({ name: "kept", uid: 800, home: "/home/mail/kept", gid: 100, password: "****" })}
      INSERT INTO alias (username, alias, alias_username, alias_host) VALUES ('iain', '', '/', 'home/iain/Mailbox');
      INSERT INTO \`virtual\` (username, ext, virtual_username, virtual_host) VALUES ('virtual', '@', '', 'virtual.com');
      INSERT INTO rcpthosts (host) VALUES ('virtual.com');`);
    expect((await admin(world, ["init"])).code).toBe(0);
    expect(row("kept")).toEqual(["kept", "800", "100", "/home/mail/kept", "****", "Password", "N"]);
  });

  test("add: crypt by default, and openssl agrees", async () => {
    const got = await admin(world, ["user", "add", "Iain", ...IDS, "--home", "/home/mail/iain/"], {
      input: "p\xc3\xa4ss word\nmore\n",
    });
    expect([got.code, got.stdout]).toEqual([0, ""]);
    const [name, uid, gid, home, password = "", type, suspended] = row("iain");
    expect([name, uid, gid, home, type, suspended]).toEqual([
      "iain",
      String(UID),
      String(GID),
      "/home/mail/iain",
      "Crypt-Password",
      "N",
    ]);
    const [, id, salt = ""] = password.split("$");
    expect(id).toBe("6");
    expect(salt.length).toBeGreaterThanOrEqual(8);
    expect(
      execFileSync("openssl", ["passwd", "-6", "-salt", salt, "-stdin"], { input: "päss word\n" })
        .toString()
        .trim(),
    ).toBe(password);
  });

  test("passwd --type mysql: what the server's PASSWORD('secret') gives", async () => {
    expect(
      (await admin(world, ["user", "passwd", "iain", "--type", "mysql"], { input: "secret" })).code,
    ).toBe(0);
    expect(row("iain").slice(4, 6)).toEqual(["*14E65567ABDB5135D0CFD9A70B3032C179A49EE7", "MySQL-Password"]);
  });

  test("passwd keeps the type it finds", async () => {
    expect((await admin(world, ["user", "passwd", "kept"], { input: "new secret\r\n" })).code).toBe(0);
    expect(row("kept").slice(4, 6)).toEqual(["new secret", "Password"]);
  });

  test("suspend and resume", async () => {
    expect((await admin(world, ["user", "suspend", "IAIN"])).code).toBe(0);
    expect(row("iain")[6]).toBe("Y");
    expect((await admin(world, ["user", "resume", "iain"])).code).toBe(0);
    expect(row("iain")[6]).toBe("N");
  });

  test("show never shows the password", async () => {
    const { code, stdout } = await admin(world, ["user", "show", "kept", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      username: "kept",
      uid: 800,
      gid: 100,
      home: "/home/mail/kept",
      password_type: "Password",
      suspended: false,
      password_set: true,
      home_problem: "home /home/mail/kept: file does not exist",
    });
    const text = await admin(world, ["user", "show", "kept"]);
    expect(text.stdout).toMatch(/^home {7}\/home\/mail\/kept$/m);
    expect(text.stdout).not.toContain("new secret");
  });

  test("list, for people and for programs, more than a page of them", async () => {
    const many = Array.from({ length: 2100 }, (_, i) => `('m${i}', 1000, 1000, '/h')`);
    sql(`INSERT INTO mailbox (username, uid, gid, home) VALUES ${many.join(",")}`);
    const { stdout } = await admin(world, ["user", "list", "--json"]);
    const names = (JSON.parse(stdout) as { username: string }[]).map(({ username }) => username);
    expect(names).toHaveLength(2102);
    expect(new Set(names).size).toBe(2102);
    sql("DELETE FROM mailbox WHERE uid = 1000");
    expect((await admin(world, ["user", "list"])).stdout).toBe(
      [
        "username  uid    gid    home             suspended  password_type",
        `iain      ${UID}  ${GID}  /home/mail/iain  N          MySQL-Password`,
        "kept      800    100    /home/mail/kept  N          Password\n",
      ].join("\n"),
    );
  });

  test("del deletes the row alone", async () => {
    const got = await admin(world, ["user", "del", "kept"]);
    expect([got.code, got.stdout]).toEqual([
      0,
      'mailbox "kept" is deleted; its home stays: /home/mail/kept\n',
    ]);
    expect(row("kept")).toEqual([""]);
    expect(row("iain")[0]).toBe("iain");
  });

  test("a name the database takes for another is not changed under its name", async () => {
    sql(mailboxRow({ name: "jos\u00e9", uid: 800, gid: 100, home: "/h", password: "old" }));
    const got = await admin(world, ["user", "passwd", "jose"], { input: "new" });
    expect(got.code).toBe(100);
    expect(sql("SELECT password FROM mailbox WHERE home = '/h'").trim()).toBe("old");
    const add = await admin(world, ["user", "add", "jose", ...IDS, "--home", "/h2"], { input: "new" });
    if (sql("SELECT 'jose' = 'jos\u00e9'").trim() === "1") expect(add.stderr).toContain("the same name as");
    else expect(add.code).toBe(0);
  });

  const ADD = ["user", "add"];
  const HOME = ["--home", "/h"];
  test.each<[readonly string[], string | undefined, string]>([
    [[], undefined, "Usage: qmail-mysql"],
    [["user"], undefined, "Usage: qmail-mysql user"],
    [["frob"], undefined, "unknown command 'frob'"],
    [["init", "more"], undefined, "too many arguments"],
    [[...ADD, "x", ...IDS], undefined, "required option '--home <dir>' not specified"],
    [[...ADD, "x", ...IDS, ...HOME, "--password", "x"], undefined, "unknown option '--password'"],
    [[...ADD, "x", "--uid", "0", "--gid", "0", ...HOME], undefined, "--uid 0: expected a number from 1 to"],
    [[...ADD, "x", "--uid", "-1", "--gid", "0", ...HOME], undefined, "--uid -1: expected a number from 1 to"],
    [[...ADD, "x", "--uid", "4294967295", "--gid", "0", ...HOME], undefined, "expected a number from 1 to"],
    [[...ADD, "x", ...IDS, "--home", "mail/x"], undefined, "expected an absolute path"],
    [[...ADD, "x", ...IDS, "--home", "/mail/../etc"], undefined, 'expected no "." or ".."'],
    [[...ADD, "x", ...IDS, "--home", "/"], undefined, "expected an absolute path"],
    [[...ADD, "x", ...IDS, "--home", "/a\nb"], undefined, "--home: expected no line end"],
    [[...ADD, "", ...IDS, ...HOME], undefined, "NAME: expected a mailbox's name"],
    [[...ADD, "a\nb", ...IDS, ...HOME], undefined, "NAME: expected no line end"],
    [[...ADD, "x ", ...IDS, ...HOME], undefined, "no blank at its beginning or end"],
    [
      [...ADD, "x", ...IDS, ...HOME, "--type", "constructor"],
      undefined,
      "--type constructor: expected plain, crypt or mysql",
    ],
    [["user", "set", "iain"], undefined, "expected --uid, --gid or --home"],
    [["user", "rename", "nobody-here", "x"], undefined, 'no mailbox "nobody-here"'],
    [
      [...ADD, "x", ...IDS, ...HOME, "--type", "md5"],
      undefined,
      "--type md5: expected plain, crypt or mysql",
    ],
    [[...ADD, "x", ...IDS, ...HOME], "", "the password: expected at least one character"],
    [[...ADD, "x", ...IDS, ...HOME], "a\0b\n", "the password: expected no NUL"],
    [[...ADD, "x", ...IDS, ...HOME], "a\xff\n", "the password: expected UTF-8"],
    [[...ADD, "x", ...IDS, ...HOME], `${"a".repeat(256)}\n`, "the password: expected at most 255 bytes"],
    [[...ADD, "x", ...IDS, ...HOME], "a".repeat(1 << 20), "the password: expected at most 255 bytes"],
    [[...ADD, "iain", ...IDS, ...HOME], "secret", 'mailbox "iain" exists'],
    [["user", "passwd", "nobody-here"], "secret", 'no mailbox "nobody-here"'],
    [["user", "suspend", "nobody-here"], undefined, 'no mailbox "nobody-here"'],
    [["user", "resume", "nobody-here"], undefined, 'no mailbox "nobody-here"'],
    [["user", "del", "nobody-here"], undefined, 'no mailbox "nobody-here"'],
    [["user", "show", "nobody-here"], undefined, 'no mailbox "nobody-here"'],
    [["user", "show", "' OR '1'='1"], undefined, "no mailbox \"' or '1'='1\""],
  ])("%j is refused with 100 and a reason", async (args, input, expected) => {
    const before = sql("SELECT * FROM mailbox");
    const got = await admin(world, args, { input });
    expect([got.code, got.stdout]).toEqual([100, ""]);
    expect(got.stderr).toContain(expected);
    expect(sql("SELECT * FROM mailbox")).toBe(before);
  });
});

describe("old databases over MariaDB", () => {
  const world = makeWorld();
  const { sql } = overSocket.prepare(world, "home_mismatch alias\n");
  sql(`DROP TABLE mailbox; CREATE TABLE mailbox (username char(16), uid smallint, gid int, home varchar(255) NOT NULL,
    password varchar(16) NOT NULL, password_type varchar(20), suspended char(1)) ENGINE=MyISAM DEFAULT CHARSET=latin1;
    ${mailboxRow({ name: "iain", uid: 800, home: "/home/iain", gid: 100, password: "old" })}`);
  afterAll(() => world.remove());
  const all = () => sql("SELECT * FROM mailbox");

  test("an address with characters outside latin1 belongs to no mailbox, and is not trouble", async () => {
    const rows = (local: string) => run("qmail-getpw", [local], { env: world.env });
    for (const local of ["\u03b1", "iain-\u03b1", "\u03b1-\u00e9-\u03b2"]) {
      const { code, stderr } = await rows(local);
      expect([local, code, stderr.includes("fatal")]).toEqual([local, isRoot ? 0 : expect.anything(), false]);
    }
  });

  test("what fits is stored", async () => {
    const got = await admin(world, ["user", "passwd", "iain"], { input: "sixteen letters." });
    expect(got.code).toBe(0);
    expect(all()).toBe("iain\t800\t100\t/home/iain\tsixteen letters.\tPassword\tN\n");
    const add = ["user", "add", "j\xf6rg", "--uid", "801", "--gid", "100", "--home", "/h", "--type", "plain"];
    expect(
      (
        await admin(
          world,
          add.map((arg) => arg.replace("\xf6", "ö")),
          { input: "x" },
        )
      ).code,
    ).toBe(0);
    expect(sql("SELECT username, password_type, suspended FROM mailbox WHERE uid = 801")).toBe(
      "j\u00f6rg\tPassword\tN\n",
    );
    expect((await admin(world, ["user", "del", "jörg"])).code).toBe(0);
  });

  test.each([
    [
      ["passwd", "iain", "--type", "crypt"],
      "column mailbox.password is too narrow for the value",
      "MODIFY password varchar(255)",
    ],
    [
      ["add", "seventeen-letters", ...IDS, "--home", "/h", "--type", "plain"],
      "column mailbox.username is too narrow",
      "MODIFY username varchar(128)",
    ],
    [
      ["add", "b", ...IDS, "--home", "/h", "--type", "plain"],
      "column mailbox.uid is too small",
      "MODIFY uid int unsigned",
    ],
    [
      ["add", "\u20ac\u0142", "--uid", "802", "--gid", "1", "--home", "/h", "--type", "plain"],
      "column mailbox.username cannot spell the value",
      "CHARACTER SET utf8mb4",
    ],
  ])("%j: names the column and the fix, and leaves the old value", async (args, problem, fix) => {
    const before = all();
    const got = await admin(world, ["user", ...args], { input: "x" });
    expect([got.code, got.stdout]).toEqual([111, ""]);
    expect(got.stderr).toContain(problem);
    expect(got.stderr).toMatch(new RegExp(`fix: ALTER TABLE \`mailbox\` .*${fix.replace(/[()]/g, "\\$&")}`));
    expect(all()).toBe(before);
  });

  test("a server that keeps something else gets its old value back", async () => {
    sql("CREATE TRIGGER spoil BEFORE UPDATE ON mailbox FOR EACH ROW SET NEW.password = LOWER(NEW.password)");
    const before = all();
    const got = await admin(world, ["user", "passwd", "iain"], { input: "UPPER" });
    expect(got.code).toBe(111);
    expect(got.stderr).toContain("column mailbox.password did not keep the value");
    expect(all()).toBe(before);
    sql("DROP TRIGGER spoil");
  });

  test("a row of the administrator's own account is not needed by the mail programs", async () => {
    world.control("sqlserver-admin", "login nobody\npassword wrong\ndb mail\nserver /nonexistent\n");
    const got = await admin(world, ["user", "list"]);
    rmSync(join(world.home, "control/sqlserver-admin"));
    expect(got.code).toBe(111);
    expect(got.stderr).toContain("/nonexistent");
  });

  test("grants: the account for mail reads, the other writes", async () => {
    const { stdout, stderr } = await admin(world, ["init", "--grants"]);
    const passwords = Array.from(stdout.matchAll(/IDENTIFIED BY '([^']*)'/g), (found) => found[1] ?? "");
    expect([new Set(passwords).size, stdout.includes("BY 'CHANGE-ME")]).toEqual([3, false]);
    for (const password of passwords)
      expect([password.length, stderr.includes(password)]).toEqual([24, true]);
    const db = /^db (.*)$/m.exec(
      execFileSync("cat", [join(world.home, "control/sqlserver")]).toString(),
    )?.[1];
    sql(
      stdout
        .replaceAll("'qmail'", `'mail_${db}'`)
        .replaceAll("'qmailadmin'", `'admin_${db}'`)
        .replaceAll("'qmailrelay'", `'relay_${db}'`),
    );
    const as = (user: string, password: string) =>
      world.control(
        "sqlserver",
        `${overSocketServer(world)}login ${user}_${db}\npassword ${password}\ndb ${db}\n`,
      );
    as("mail", passwords[0] ?? "");
    expect((await admin(world, ["user", "list"])).code).toBe(0);
    const refused = await admin(world, ["user", "suspend", "iain"]);
    expect([refused.code, refused.stderr]).toEqual([111, expect.stringContaining("command denied")]);
    as("admin", passwords[1] ?? "");
    expect((await admin(world, ["user", "suspend", "iain"])).code).toBe(0);
    expect((await admin(world, ["init"])).code).toBe(0);
  });
});

function overSocketServer(world: World): string {
  const text = execFileSync("cat", [join(world.home, "control/sqlserver")]).toString();
  return text
    .split("\n")
    .filter((line) => line.startsWith("server"))
    .join("\n")
    .concat("\n");
}

describe("files", () => {
  const world = makeWorld();
  afterAll(() => world.remove());

  test("init makes an SQLite file that others cannot read", async () => {
    world.control("sqlserver", "driver sqlite\ndb users/new.db\n");
    const missing = await admin(world, ["user", "list"]);
    expect([missing.code, missing.stderr]).toEqual([
      111,
      `qmail-mysql: fatal: unable to open ${world.home}/users/new.db: file does not exist; fix: qmail-mysql init\n`,
    ]);
    const got = await admin(world, ["init"]);
    expect(got.code).toBe(0);
    expect(statSync(join(world.home, "users/new.db")).mode & 0o777).toBe(0o640);
    expect(got.stderr).toBe("");
  });

  test("a world-readable database or password is a warning, with its fix", async () => {
    const file = join(world.home, "users/new.db");
    chmodSync(file, 0o644);
    const got = await admin(world, ["user", "list"]);
    expect(got.code).toBe(0);
    expect(got.stderr).toContain(`${file} is world-readable`);
    expect(got.stderr).toContain(`fix: chmod o-r ${file}`);
    const other = makeWorld();
    overSocket.prepare(other);
    expect((await admin(other, ["user", "list"])).stderr).toContain("control/sqlserver is world-readable");
    chmodSync(join(other.home, "control/sqlserver"), 0o640);
    expect((await admin(other, ["user", "list"])).stderr).toBe("");
    other.remove();
  });
});

describe.skipIf(!isRoot)("--create-home", () => {
  const world = makeWorld();
  const top = mkdtempSync(join(tmpdir(), "homes-"));
  chmodSync(top, 0o755);
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = sqlite.prepare(world));
  });
  afterAll(() => {
    world.remove();
    rmSync(top, { recursive: true });
  });
  const add = (name: string, home: string, how: How = {}) =>
    admin(world, ["user", "add", name, ...IDS, "--home", home, "--create-home"], { input: "x", ...how });
  const state = (path: string) => {
    const { uid, gid, mode } = lstatSync(path);
    return [uid, gid, (mode & 0o7777).toString(8)];
  };

  test("makes the home and its Maildir for uid:gid; parents are root's", async () => {
    const got = await add("a", join(top, "mail/deep/a"));
    expect([got.code, got.stderr.includes("goes to alias")]).toEqual([0, false]);
    expect(state(join(top, "mail/deep"))).toEqual([0, 0, "755"]);
    for (const sub of ["", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"])
      expect(state(join(top, "mail/deep/a", sub))).toEqual([UID, GID, "700"]);
  });

  test("root's umask takes nothing from the parents, nor the home from its user", async () => {
    const script = 'umask "$1"; shift; exec "$@"';
    for (const umask of ["077", "777"]) {
      const home = join(top, umask, "mail/u");
      const args = ["user", "add", `u${umask}`, ...IDS, "--home", home, "--create-home"];
      const how = { env: world.env, input: "x" };
      const got = await run("/bin/sh", ["-c", script, "sh", umask, `${BIN}/qmail-mysql`, ...args], how);
      expect([got.code, got.stderr.includes("goes to alias")]).toEqual([0, false]);
      expect(state(join(top, umask, "mail"))).toEqual([0, 0, "755"]);
      expect(state(join(home, "Maildir/new"))).toEqual([UID, GID, "700"]);
    }
  });

  test("an existing home is completed", async () => {
    const home = join(top, "b");
    mkdirSync(home);
    chownSync(home, UID, GID);
    expect((await add("b", home)).code).toBe(0);
    expect(state(join(home, "Maildir/new"))).toEqual([UID, GID, "700"]);
  });

  test("below a directory of the same user, with that user's rights (the FAQ's /home/mail)", async () => {
    const shared = join(top, "shared");
    mkdirSync(shared, { mode: 0o711 });
    chownSync(shared, UID, GID);
    expect((await add("c", join(shared, "c"))).code).toBe(0);
    expect(state(join(shared, "c/Maildir"))).toEqual([UID, GID, "700"]);
  });

  test("root's own symbolic links are followed", async () => {
    symlinkSync(join(top, "mail"), join(top, "link"));
    expect((await add("d", join(top, "link/d"))).code).toBe(0);
    expect(state(join(top, "mail/d"))).toEqual([UID, GID, "700"]);
  });

  test("no symbolic link in somebody else's directory leads root anywhere", async () => {
    const theirs = join(top, "theirs");
    const prize = join(top, "prize");
    mkdirSync(prize, { mode: 0o700 });
    mkdirSync(theirs, { mode: 0o777 });
    chmodSync(theirs, 0o777);
    chownSync(theirs, 64801, 64801);
    symlinkSync(prize, join(theirs, "e"));
    for (const home of ["e", "e/sub", "e/sub/deeper"]) {
      const got = await add(`e${home.length}`, join(theirs, home));
      expect([got.code, got.stderr.includes("unable to")]).toEqual([111, true]);
    }
    expect(state(prize)).toEqual([0, 0, "700"]);
    expect(execFileSync("ls", ["-A", prize]).toString()).toBe("");
  });

  test("nor a link planted in a sticky directory, nor one inside the home", async () => {
    const sticky = join(top, "sticky");
    const prize = join(top, "prize2");
    mkdirSync(prize, { mode: 0o700 });
    mkdirSync(sticky);
    chmodSync(sticky, 0o1777);
    symlinkSync(prize, join(sticky, "f"));
    execFileSync("chown", ["-h", "64801", join(sticky, "f")]);
    expect((await add("f", join(sticky, "f"))).code).toBe(111);
    const home = join(top, "g");
    mkdirSync(home);
    symlinkSync(prize, join(home, "Maildir"));
    chownSync(home, UID, GID);
    expect((await add("g", home)).code).toBe(111);
    expect(execFileSync("ls", ["-A", prize]).toString()).toBe("");
  });

  test("a home of another uid is refused, with the fix, and no row is made", async () => {
    const home = join(top, "h");
    mkdirSync(home);
    const got = await add("h", home);
    expect(got.code).toBe(111);
    expect(got.stderr).toContain(`fix: chown ${UID}:${GID} ${home}`);
    expect((await admin(world, ["user", "show", "h"])).code).toBe(100);
  });

  test("when it fails, nothing that was made is left", async () => {
    const closed = join(top, "closed");
    mkdirSync(closed, { mode: 0o700 });
    // root makes the home, but its user cannot reach it to make a Maildir
    const got = await add("i", join(closed, "mail/i"));
    expect([got.code, got.stderr]).toEqual([111, expect.stringContaining("as uid 64800")]);
    expect(readdirSync(closed)).toEqual([]);
    // the home as it was, but for what was made in it
    const home = join(top, "j");
    mkdirSync(join(home, "Maildir"), { recursive: true });
    writeFileSync(join(home, "Maildir/new"), "not a directory");
    execFileSync("chown", ["-R", `${UID}:${GID}`, home]);
    expect((await add("j", home)).code).toBe(111);
    expect(readdirSync(join(home, "Maildir"))).toEqual(["new"]);
    sql(`CREATE TRIGGER no BEFORE INSERT ON mailbox WHEN NEW.username = 'k'
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    expect((await add("k", join(top, "more/k"))).code).toBe(111);
    expect(existsSync(join(top, "more"))).toBe(false);
  });

  test("without --create-home a missing home is a warning with its fix", async () => {
    const home = join(top, "missing");
    const got = await admin(world, ["user", "add", "m", ...IDS, "--home", home], { input: "x" });
    expect(got.code).toBe(0);
    expect(got.stderr).toContain(`home ${home}: file does not exist; fix: install -d`);
  });
});

describe("on a terminal", () => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = sqlite.prepare(world));
    sql(mailboxRow({ name: "iain", uid: 800, home: "/h", gid: 100, password: "old" }));
  });
  afterAll(() => world.remove());
  type Step = [wait: string, act: { type: string } | { signal: number }];
  function onTerminal(steps: readonly Step[], args: readonly string[], env: Record<string, string> = {}) {
    const terminal = join(import.meta.dirname, "../lib/terminal.py");
    const out = execFileSync(
      "python3",
      [terminal, JSON.stringify(steps), join(BIN, "qmail-mysql"), ...args],
      {
        env: { PATH: process.env.PATH ?? "", TERM: "xterm", ...world.env, ...env },
      },
    );
    return JSON.parse(out.toString()) as { code: number; screen: string; echoes: boolean[]; echo: boolean };
  }
  const PROMPTS = ["New password for iain: ", "Again: "] as const;
  const stored = () => sql("SELECT password FROM mailbox WHERE username = 'iain'").trim();

  test("the password is asked for twice and not echoed", () => {
    const got = onTerminal(
      PROMPTS.map((prompt): Step => [prompt, { type: "typed secret\n" }]),
      ["user", "passwd", "iain"],
    );
    expect(got).toMatchObject({ code: 0, echoes: [false, false], echo: true });
    expect(got.screen).not.toContain("typed secret");
    expect(stored()).toBe("typed secret");
  });

  test("two answers that differ change nothing", () => {
    const got = onTerminal(
      [
        [PROMPTS[0], { type: "one\n" }],
        [PROMPTS[1], { type: "two\n" }],
      ],
      ["user", "passwd", "iain"],
    );
    expect(got).toMatchObject({ code: 100, echo: true });
    expect(got.screen).toContain("expected the same one twice");
    expect(stored()).toBe("typed secret");
  });

  test.each<[string, Step[1]]>([
    ["^C", { type: "\x03" }],
    ["^D", { type: "\x04" }],
    ["^\\", { type: "\x1c" }],
    ["SIGTERM", { signal: 15 }],
    ["SIGHUP", { signal: 1 }],
  ])("%s: the echo is back, nothing is changed", (_, act) => {
    const got = onTerminal([[PROMPTS[0], act]], ["user", "passwd", "iain"]);
    expect(got).toMatchObject({ code: 111, echoes: [false], echo: true });
    expect(stored()).toBe("typed secret");
  });

  test("colours on a terminal only, and never with NO_COLOR", async () => {
    expect(onTerminal([], ["user", "list"]).screen).toContain("\x1b[1musername");
    expect(onTerminal([], ["user", "list"], { NO_COLOR: "1" }).screen).not.toContain("\x1b");
    expect((await admin(world, ["user", "list"])).stdout).not.toContain("\x1b");
  });
});

test.each([[["--help"]], [["init", "--help"]], [["user", "--help"]], [["user", "add", "--help"]]])(
  "%j says how, without a database, and ends with 0",
  async (args) => {
    const got = await run("qmail-mysql", args, { env: { QMAIL_HOME: "/nonexistent" } });
    expect([got.code, got.stderr]).toEqual([0, ""]);
    expect(got.stdout).toMatch(/^Usage: qmail-mysql/);
  },
);

describe("a mailbox's rows", () => {
  const world = makeWorld();
  const { sql } = sqlite.prepare(world);
  beforeAll(() => {
    sql(`${mailboxRow({ name: "joe", uid: 800, home: "/home/joe", gid: 100, password: "plain secret" })}
      INSERT INTO alias VALUES ('joe', 'x', '.', '/Maildir/');
      INSERT INTO \`virtual\` VALUES ('joe', 'x', 'sales', 'virtual.com');`);
  });
  afterAll(() => world.remove());
  const rows = () =>
    sql("SELECT username FROM mailbox; SELECT username FROM alias; SELECT username FROM `virtual`");

  test("set changes what is given, and warns of the home", async () => {
    const got = await admin(world, ["user", "set", "joe", "--home", "/nonexistent", "--gid", "101"]);
    expect([got.code, got.stderr]).toEqual([
      0,
      expect.stringContaining("home /nonexistent: file does not exist"),
    ]);
    expect(sql("SELECT uid, gid, home FROM mailbox").trim()).toBe("800\t101\t/nonexistent");
  });
  test("rename takes alias and virtual along", async () => {
    expect((await admin(world, ["user", "rename", "joe", "jim"])).code).toBe(0);
    expect(rows()).toBe("jim\njim\njim\n");
    expect((await admin(world, ["user", "rename", "jim", "jim"])).code).toBe(100);
  });
  test("query shows what the mail programs are given", async () => {
    const got = await admin(world, ["query", "alias", "jim", "x"]);
    expect(JSON.parse(got.stdout)).toMatchObject([
      { username: "jim", aliasUsername: ".", aliasHost: "/Maildir/" },
    ]);
    expect(JSON.parse((await admin(world, ["query", "mailbox", "jim"])).stdout)).toMatchObject([
      { gid: 101 },
    ]);
    expect(JSON.parse((await admin(world, ["query", "virtual", "sales@virtual.com"])).stdout)).toHaveLength(
      1,
    );
    expect((await admin(world, ["query", "mailbox", "nobody"])).code).toBe(100);
  });
  test("passwd --hash stores what was hashed elsewhere", async () => {
    const hash = `$6$salt$${"x".repeat(86)}`;
    await admin(world, ["user", "passwd", "jim", "--type", "crypt", "--hash"], { input: hash });
    expect(sql("SELECT password FROM mailbox").trim()).toBe(hash);
  });
  test("del names the rows that stay, and --cascade deletes them", async () => {
    const one = await admin(world, ["user", "del", "jim"]);
    expect(one.stdout).toContain('alias row ("jim", "x", ".", "/Maildir/") stays');
    expect(one.stdout).toContain('virtual row ("jim", "x", "sales", "virtual.com") stays');
    sql(mailboxRow({ name: "jim", uid: 800, home: "/home/joe", gid: 100 }));
    expect((await admin(world, ["user", "del", "jim", "--cascade"])).code).toBe(0);
    expect(rows()).toBe("");
  });
});

describe.skipIf(!isRoot)("auth test", () => {
  test.each([
    ["secret", 0],
    ["wrong", 100],
  ])("%s: %d", async (password, code) => {
    const world = makeWorld();
    const home = world.user("joe", 64800);
    const { sql } = sqlite.prepare(world);
    sql(mailboxRow({ name: "joe", uid: 64800, home: home, password: "secret" }));
    const got = await admin(world, ["auth", "test", "joe"], { input: `${password}\n` });
    expect([got.code, got.stdout]).toEqual([code, code === 0 ? "accepted\n" : ""]);
    world.remove();
  });
});

test("a reader that ends early, as head(1), is no trouble", async () => {
  const world = makeWorld();
  const { sql } = sqlite.prepare(world);
  sql(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO rcpthosts SELECT 'host' || i || '.example' FROM n",
  );
  const script = `set -o pipefail; ${join(BIN, "qmail-mysql")} domain list | head -1 | grep -c host`;
  const got = await run("/bin/bash", ["-c", script], { env: world.env });
  expect([got.code, got.stdout, got.stderr]).toEqual([0, "1\n", expect.not.stringContaining("fatal")]);
  world.remove();
});

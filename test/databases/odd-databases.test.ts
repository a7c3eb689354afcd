import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { statements } from "@qmail-mysql/database";
import { openDatabase } from "@qmail-mysql/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILP } from "../lib/accounts.ts";
import { overSocket, sqlite } from "../lib/databases.ts";
import { type MariaDb, sqlFile, startMariaDb } from "../lib/mariadb.ts";
import { run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// Databases that are lawful and yet not as `qmail-mysql init` makes them.

const UID = 64800;
const GID = 64100;

describe.skipIf(!isRoot)("a mailbox table without a key", () => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  const { sql } = overSocket.prepare(world);
  const row = (name: string, uid: number, suspended = "N") =>
    mailboxRow({ name, uid, gid: GID, home, password: "secret", suspended });
  beforeAll(() => {
    sql(`DROP TABLE mailbox; CREATE TABLE mailbox (username varchar(32), uid int, gid int, home varchar(255),
      password varchar(32), password_type varchar(20), suspended varchar(5))
      DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_general_ci;
      ${[
        row("twice", UID),
        row("twice", UID + 1),
        ...["j\u00f3se", "jos\u00e9", "jos\u00e8", "jose", "jos\u00ea"].map((name) => row(name, UID)),
        ...["", "n", "No", "0"].map((value) => row(`free${value}`, UID, value)),
        ...["Y", "y", "Yes"].map((value, i) => row(`held${i}`, UID, value)),
        ...["1", "true", "S"].map((value, i) => row(`odd${i}`, UID, value)),
      ].join("\n")}`);
  });
  afterAll(() => world.remove());

  const getpw = (local: string) => run("qmail-getpw", [local], { env: world.env });
  const login = (name: string) =>
    run("checkpassword", ["id", "-u"], {
      env: { ...world.env, PATH: "/usr/bin:/bin" },
      fd3: `${name}\0secret\0x\0`,
    });

  test("of two rows with one name, mail and login take the same", async () => {
    expect(visible((await getpw("twice")).stdout)).toBe(`twice|${UID}|${GID}|${home}|||`);
    expect((await login("twice")).stdout).toBe(`${UID}\n`);
  });

  test("a name is found among any number that the collation takes for equal", async () => {
    expect(visible((await getpw("jose")).stdout)).toBe(`jose|${UID}|${GID}|${home}|||`);
    expect((await login("jose")).code).toBe(0);
  });

  test.each(["free", "freen", "freeNo", "free0"])("%s is not suspended", async (name) => {
    expect([(await login(name)).code, (await getpw(name)).code]).toEqual([0, 0]);
  });

  test.each(["held0", "held1", "held2"])("%s is suspended", async (name) => {
    expect([(await login(name)).code, (await getpw(name)).code]).toEqual([1, 0]);
  });

  test.each(["odd0", "odd1", "odd2"])("%s: nobody knows, so neither is the login let in", async (name) => {
    const { code, stderr } = await login(name);
    expect([code, stderr]).toEqual([
      111,
      `checkpassword: fatal: MySQL misconfiguration: mailbox row "${name}": suspended: expected Y or N\n`,
    ]);
    expect((await getpw(name)).code).toBe(118);
  });
});

describe("a server that begins sessions with autocommit off", () => {
  const world = makeWorld();
  let server: MariaDb;
  beforeAll(async () => {
    server = await startMariaDb();
    server.sql(`CREATE DATABASE q; CREATE USER qmail@localhost IDENTIFIED BY 'x'; GRANT ALL ON q.* TO qmail@localhost;
      SET GLOBAL autocommit = 0;`);
    server.sql(sqlFile("mysql/schema.sql"), "q");
    world.control("sqlserver", `server ${server.socket}\nlogin qmail\npassword x\ndb q\n`);
  }, 30_000);
  afterAll(async () => {
    world.remove();
    await server.stop();
  });

  test("what is written stays", async () => {
    const add = ["user", "add", "iain", "--uid", "800", "--gid", "100", "--home", "/h"];
    expect((await run("qmail-mysql", add, { env: world.env, input: "secret\n" })).code).toBe(0);
    expect(server.sql("SELECT username FROM mailbox", "q")).toBe("iain\n");
  });

  test("a resident program sees later changes", async () => {
    const config = {
      driver: "mysql",
      servers: [{ socket: server.socket }],
      login: "qmail",
      password: "x",
      db: "q",
      timeout: 5,
      tls: undefined,
    } as const;
    const database = await openDatabase(config, world.home, "resident");
    const count = async () => (await database.query(statements.showRcptHost, ["x.org"])).length;
    expect(await count()).toBe(0);
    server.sql("INSERT INTO rcpthosts VALUES ('x.org'); COMMIT", "q");
    expect(await count()).toBe(1);
    await database.close();
  });
});

describe.skipIf(!isRoot)("an SQLite file", () => {
  const world = makeWorld();
  const file = join(world.home, "users/mail.db");
  afterAll(() => world.remove());

  test.each<[string, (db: DatabaseSync) => void]>([
    [
      "a writer was killed over",
      (db) =>
        db.exec(`PRAGMA cache_size = 1; BEGIN;
          WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 9999)
          INSERT INTO mailbox (username, uid, gid, home) SELECT 'name' || i, 1, 1, '/' FROM c`),
    ],
    ["has a WAL", (db) => db.exec("PRAGMA journal_mode = WAL")],
  ])("that %s: readers say what mends it, and it does", async (_, spoil) => {
    execFileSync("rm", ["-f", file]);
    sqlite.prepare(world);
    const other = join(world.home, "users/other.db");
    execFileSync("cp", [file, other]);
    const db = new DatabaseSync(other);
    spoil(db);
    execFileSync("sh", [
      "-c",
      'cp "$1" "$2"; ! [ -e "$1-journal" ] || cp "$1-journal" "$2-journal"',
      "sh",
      other,
      file,
    ]);
    db.close();
    execFileSync("chmod", ["644", file]);
    // Some other uid: root could write whatever the mode.
    const how = { env: world.env, uid: QMAILP, gid: NOFILES };
    const got = await run("qmail-getpw", ["alias"], how);
    expect([got.code, got.stderr]).toEqual([
      118,
      expect.stringMatching(/^qmail-getpw: fatal: unable to query .*; fix: qmail-mysql init\n$/),
    ]);
    expect((await run("qmail-mysql", ["init"], { env: world.env })).code).toBe(0);
    expect((await run("qmail-getpw", ["alias"], how)).code).toBe(0);
    execFileSync("rm", ["-f", other, file]);
  });
});

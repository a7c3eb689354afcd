import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { cdbGet, cdbOf } from "../lib/cdb.ts";
import { backends, overSocket } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;
const { STOCK_QMAIL } = process.env;
const MARK = /^# rebuild-cdb: \d+ rows, sha256 [0-9a-f]{64}\n$/m;

test("a database that does not answer in time is trouble, and nothing changes", async () => {
  const world = makeWorld();
  const { sql } = overSocket.prepare(world, "timeout 1\n");
  world.control("rcpthosts", "localhost\n");
  sql("INSERT INTO rcpthosts VALUES ('example.com')");
  expect((await run("rebuild-cdb", [], { env: world.env })).code).toBe(0);
  const before = readdirSync(join(world.home, "control"));
  const { ino } = statSync(join(world.home, "control/morercpthosts"));
  const db = /^db (.*)$/m.exec(readFileSync(join(world.home, "control/sqlserver"), "latin1"))?.[1] ?? "";
  const client = spawn("mariadb", ["--no-defaults", "-uroot", "-S", inject("mariadb").socket, db], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  client.stdin.write(
    "INSERT INTO rcpthosts VALUES ('new.example'); LOCK TABLES rcpthosts WRITE; SELECT 'locked';\n",
  );
  client.stdin.write("\\! echo ready\n");
  await once(client.stdout, "data");
  const { code, stderr, ms } = await run("rebuild-cdb", [], { env: world.env });
  client.kill();
  expect([code, stderr]).toEqual([
    111,
    `rebuild-cdb: fatal: unable to query the database at ${inject("mariadb").socket}: no answer within 1 seconds\n`,
  ]);
  expect(ms).toBeLessThan(6000);
  expect(readdirSync(join(world.home, "control"))).toEqual(before);
  expect(statSync(join(world.home, "control/morercpthosts")).ino).toBe(ino);
  world.remove();
});

describe.skipIf(!isRoot).each(backends)("rebuild-cdb over $name", ({ prepare }) => {
  let world: World;
  let sql: (text: string) => string;
  beforeEach(() => {
    world = makeWorld();
    ({ sql } = prepare(world));
    world.control("rcpthosts", "localhost\n");
    sql(`INSERT INTO ${"`virtual`"} VALUES ('joe', '', 'sales', 'Virtual.com'), ('joe', 'x', '', 'virtual.com'),
      ('joe', '', 'a', 'other.org'), ('joe', '', 'b', ''), ('joe', '', 'b', 'two lines\nevil.com:joe');
      INSERT INTO rcpthosts VALUES ('Virtual.com'), ('.other.org'), ('not a host');`);
  });
  afterEach(() => world.remove());

  const path = (file: string) => join(world.home, file);
  const read = (file: string) => readFileSync(path(file), "latin1");
  /** Without its first line and its mark, which are ours. */
  const body = (file: string) =>
    read(file)
      .replace(/^# Edit .*\n/, "")
      .replace(MARK, "");
  const rebuild = (...args: string[]) => run("rebuild-cdb", args, { env: world.env });
  const everything = () =>
    ["control", "users"].flatMap((dir) =>
      readdirSync(path(dir))
        .filter((file) => !file.startsWith("rebuild-cdb") && !file.startsWith("mail.db"))
        .map((file) => [file, read(`${dir}/${file}`), statSync(path(`${dir}/${file}`)).ino]),
    );

  test("control/virtualdomains and control/morercpthosts, readable by all whatever the umask", async () => {
    const env = { ...world.env, PATH: process.env.PATH ?? "" };
    const { code, stderr } = await run("/bin/sh", ["-c", `umask 077; exec ${join(BIN, "rebuild-cdb")}`], {
      env,
    });
    expect([code, stderr]).toEqual([
      0,
      [
        'rebuild-cdb: warning: MySQL misconfiguration: virtual row "" is not used: no host',
        'rebuild-cdb: warning: MySQL misconfiguration: virtual row "two lines evil.com:joe" is not used: no name of a host',
        'rebuild-cdb: warning: MySQL misconfiguration: rcpthosts row "not a host" is not used: no name of a host',
        "",
      ].join("\n"),
    ]);
    expect(body("control/virtualdomains")).toBe("other.org:other.org\nvirtual.com:virtual.com\n");
    expect(body("control/morercpthosts")).toBe(".other.org\nvirtual.com\n");
    const cdb = readFileSync(path("control/morercpthosts.cdb"));
    expect(
      cdb.equals(
        cdbOf([
          [".other.org", ""],
          ["virtual.com", ""],
        ]),
      ),
    ).toBe(true);
    for (const file of ["virtualdomains", "morercpthosts", "morercpthosts.cdb"]) {
      expect(statSync(path(`control/${file}`)).mode & 0o777).toBe(0o644);
    }
    expect(existsSync(path("users/cdb"))).toBe(false);
  });

  test("nothing is rewritten when nothing changed", async () => {
    await rebuild("routing", "assign");
    const before = everything();
    const { code, stdout } = await rebuild("--json", "routing", "assign");
    expect(everything()).toEqual(before);
    expect(code).toBe(0);
    const { tables } = JSON.parse(stdout) as { tables: { file: string; changed: boolean; rows: number }[] };
    expect(tables.map(({ file, changed }) => [file.slice(world.home.length), changed])).toEqual([
      ["/control/virtualdomains", false],
      ["/control/morercpthosts", false],
      ["/users/assign", false],
    ]);
  });

  test("users/assign and users/cdb: each mailbox and its extensions; the others are left to qmail-getpw", async () => {
    const home = world.user("iain", UID);
    sql(`INSERT INTO mailbox (username, uid, gid, home) VALUES ('Iain', ${UID}, 100, '${home}'),
      ('iain-two', ${UID}, 100, '${home}'), ('my', ${UID}, 100, '${home}'), ('my-stranger', ${UID + 1}, 100, '${home}'),
      ('zero', 0, 0, '/root'), ('homeless', ${UID}, 100, '/nonexistent'), ('col:on', ${UID}, 100, '${home}'),
      ('virtual.com', ${UID}, 100, '${home}'), ('virtual.com-sales', ${UID}, 100, '${home}');`);
    const { code, stderr } = await rebuild("assign");
    expect(code).toBe(0);
    const who = (name: string, user = name, dash = "") => `${name}:${user}:${UID}:100:${home}:${dash}::`;
    expect(body("users/assign")).toBe(
      [
        `=virtual.com:${who("virtual.com").slice("virtual.com:".length)}`,
        `=${who("my")}`,
        `=${who("iain-two")}`,
        `+iain-two-:iain-two:${UID}:100:${home}:-::`,
        `=${who("iain", "Iain")}`,
        `+iain-:Iain:${UID}:100:${home}:-::`,
        ".\n",
      ].join("\n"),
    );
    const data = (user: string, dash = "") => [user, UID, 100, home, dash, ""].join("\0");
    const records: [string, string][] = [
      ["!virtual.com\0", data("virtual.com")],
      ["!my\0", data("my")],
      ["!iain-two\0", data("iain-two")],
      ["!iain-two-", data("iain-two", "-")],
      ["!iain\0", data("Iain")],
      ["!iain-", data("Iain", "-")],
      ["", "-"],
    ];
    expect(readFileSync(path("users/cdb")).equals(cdbOf(records))).toBe(true);
    for (const why of [
      '"my-stranger" is not in users/assign: home',
      '"zero" is not in users/assign: its uid is 0',
      '"homeless" is not in users/assign: home /nonexistent: file does not exist',
      '"col:on" is not in users/assign: users/assign cannot hold its name',
      '"virtual.com-sales" is not in users/assign: it is an address of a virtual host',
    ]) {
      expect(stderr).toContain(why);
    }
  });

  test("what is kept by hand wins: last in virtualdomains, first in users/assign", async () => {
    const home = world.user("joe", UID);
    sql(`INSERT INTO mailbox (username, uid, gid, home) VALUES ('joe', ${UID}, 100, '${home}');`);
    world.control("virtualdomains.local", "# mine\n\nOther.org:joe\nhand.example:\n");
    world.control("morercpthosts.local", "# mine\nHand.example\n");
    writeFileSync(
      path("users/assign.local"),
      "# mine\n\n=joe:alias:1:2:/alias:-:joe:\n+:alias:1:2:/alias:-::\n",
    );
    const { stdout } = await rebuild("--json", "routing", "assign");
    expect(body("control/virtualdomains")).toBe(
      "other.org:other.org\nvirtual.com:virtual.com\n# mine\n\nOther.org:joe\nhand.example:\n",
    );
    expect(body("control/morercpthosts")).toBe("# mine\nHand.example\n.other.org\nvirtual.com\n");
    expect(cdbGet(path("control/morercpthosts.cdb"), "hand.example")).toBe("");
    expect(read("users/assign")).toMatch(
      /^=joe:alias:1:2:\/alias:-:joe:\n\+:alias:1:2:\/alias:-::\n=joe:joe:/,
    );
    const { tables } = JSON.parse(stdout) as { tables: { hand: number }[] };
    expect(tables.map(({ hand }) => hand)).toEqual([2, 1, 2]);
    const found = cdbGet(path("users/cdb"), "!joe-");
    expect(found).toBe(["joe", UID, 100, home, "-", ""].join("\0"));
  });

  test("a table that had rows is not emptied unless told", async () => {
    await rebuild("routing");
    const before = everything();
    sql(`DELETE FROM ${"`virtual`"}`);
    const refused = await rebuild("routing");
    expect([refused.code, refused.stderr.split("\n").at(-2)]).toEqual([
      100,
      `rebuild-cdb: fatal: unable to replace ${path("control/virtualdomains")}: the database has no rows for it, and had 2: if so it shall be, use --allow-empty`,
    ]);
    expect(everything()).toEqual(before);
    expect((await rebuild("--allow-empty")).code).toBe(0);
    expect(body("control/virtualdomains")).toBe("");
  });

  test("trouble with the database is 111, and nothing changes", async () => {
    await rebuild("routing", "assign");
    sql("INSERT INTO rcpthosts VALUES ('new.example')");
    const before = everything();
    const good = read("control/sqlserver");
    world.control("sqlserver", good.replace(/^(server|db) .*/m, "$1 /nonexistent"));
    const { code, stderr } = await rebuild("routing", "assign");
    expect([code, stderr.split("\n").length]).toEqual([111, 2]);
    expect(stderr).toMatch(/^rebuild-cdb: fatal: unable to /);
    world.control("sqlserver", good);
    sql("DROP TABLE rcpthosts");
    expect((await rebuild("routing")).code).toBe(111);
    expect(everything()).toEqual(before);
  });

  test.skipIf(!STOCK_QMAIL)(
    "users/cdb and morercpthosts.cdb are what the stock tools make of our texts",
    async () => {
      const home = world.user("joe", UID);
      sql(
        `INSERT INTO mailbox (username, uid, gid, home) VALUES ('joe', ${UID}, 100, '${home}'), ('ann', ${UID}, 100, '${home}');`,
      );
      writeFileSync(path("users/assign.local"), "+Hand.:alias:1:2:/alias:-:Pre:\n.\n");
      await rebuild("routing", "assign");
      for (const [tool, file] of [
        ["qmail-newu", "users/cdb"],
        ["qmail-newmrh", "control/morercpthosts.cdb"],
      ] as const) {
        const ours = readFileSync(path(file));
        rmSync(path(file));
        copyFileSync(`${STOCK_QMAIL}/bin/${tool}`, path(`bin/${tool}`));
        execFileSync("chmod", ["755", path(`bin/${tool}`)]);
        // The tools know one home only.
        const inside = `mount --bind '${world.home}' '${STOCK_QMAIL}' && exec '${STOCK_QMAIL}/bin/${tool}'`;
        execFileSync("unshare", ["--mount", "--propagation", "private", "sh", "-c", inside]);
        expect(readFileSync(path(file)).equals(ours)).toBe(true);
      }
    },
  );
});

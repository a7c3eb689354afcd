import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { overSocket, overTcp } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { ask, figure, type RunningSqld, startSqld } from "../lib/sqld.ts";
import { makeWorld, type World } from "../lib/world.ts";

const UID = process.getuid?.() || 64800;
const KEEP_NOTHING = "ttl 0\nnegative_ttl 0\nlogin_ttl 0\nstale 0\n";

describe("qmail-sqld logs", () => {
  let world: World;
  let sqld: RunningSqld;
  afterEach(async () => {
    await sqld.stop();
    world.remove();
  });
  const begin = (backend = overSocket) => {
    world = makeWorld();
    const { sql } = backend.prepare(world, "timeout 2\n");
    return sql;
  };
  const control = () => readFileSync(join(world.home, "control/sqlserver"), "latin1");
  const lines = () => sqld.said().split("\n").slice(0, -1);

  test("once that the database is away, and when it is back", async () => {
    begin(overTcp);
    const right = control();
    world.control("sqlserver", right.replace(/^port .*/m, "port 1"));
    sqld = startSqld(world, KEEP_NOTHING);
    for (let i = 0; i < 3; i++) {
      expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(
        "Tunable to connect to the database at 127.0.0.1:1: connection refused",
      );
    }
    expect(lines()).toEqual([
      "qmail-sqld: warning: unable to connect to the database at 127.0.0.1:1: connection refused",
    ]);
    expect(await figure(sqld.socket, "troubles")).toBe(3);
    world.control("sqlserver", right);
    process.kill(sqld.pid, "SIGHUP");
    await sleep(1100);
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe("N");
    expect(lines().slice(1)).toEqual([
      expect.stringMatching(/^qmail-sqld: the database works again after \d seconds; failures: 3$/),
    ]);
  });

  test("that the password is wrong, and not what it is", async () => {
    begin();
    world.control("sqlserver", control().replace("sql secret", "guessed word"));
    sqld = startSqld(world, KEEP_NOTHING);
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toMatch(/^Tunable to connect .*Access denied/);
    expect(lines()).toEqual([
      expect.stringMatching(/^qmail-sqld: warning: unable to connect .*Access denied for user 'qmail'/),
    ]);
    expect(sqld.said()).not.toMatch(/secret|guessed/);
  });

  test("that a table is missing, while the others are served", async () => {
    const sql = begin();
    sql("DROP TABLE alias");
    sqld = startSqld(world, KEEP_NOTHING);
    const alias = () => ask(sqld.socket, "findAliases", "joe", "x", "x", "x", "x");
    expect(await alias()).toMatch(/^Tunable to query .*alias.* doesn't exist/);
    expect(await alias()).toMatch(/^T/);
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe("N");
    expect(lines()).toEqual([
      expect.stringMatching(/^qmail-sqld: warning: unable to query .*alias.* doesn't exist$/),
    ]);
    sql("CREATE TABLE alias (username TEXT, alias TEXT, alias_username TEXT, alias_host TEXT)");
    await sleep(1100);
    expect(await alias()).toBe("N");
    expect(lines()[1]).toMatch(
      /^qmail-sqld: the question findAliases works again after \d seconds; failures: 2$/,
    );
  });

  // The FAQ: "This is to tell you that you did something silly like missing out a username in a table".
  test("MySQL misconfiguration, as does the program that asked", async () => {
    const sql = begin();
    const home = world.user("joe", UID);
    sql(`INSERT INTO \`virtual\` VALUES ('', '', 'sales', 'virtual.com');
      ${mailboxRow({ name: "joe", uid: UID, home: home })}
      ${mailboxRow({ name: "odd", uid: UID, home: "nowhere" })}
      INSERT INTO alias VALUES ('joe', 'blank', '', '');`);
    sqld = startSqld(world, KEEP_NOTHING);
    const misconfigured = async (program: string, args: string[]) => {
      const before = lines().length;
      const { code, stderr } = await run(program, args, { env: world.env, input: "\n" });
      const [line = "", ...others] = lines().slice(before);
      expect(others).toEqual([]);
      const what = line.replace("qmail-sqld: warning: ", "");
      expect(what).toMatch(/^MySQL misconfiguration: /);
      expect(stderr).toContain(what);
      return [code, what];
    };
    expect(await misconfigured("qmail-getpw", ["virtual.com-sales"])).toEqual([
      118,
      "MySQL misconfiguration: virtual row ('', '', 'sales', 'virtual.com') has no username",
    ]);
    expect(await misconfigured("qmail-getpw", ["odd"])).toEqual([
      118,
      'MySQL misconfiguration: mailbox row "odd": home: expected an absolute path',
    ]);
    const local = ["-n", "--", "joe", home, "joe-blank", "-", "blank", "h.example", "", "./Maildir/"];
    expect(await misconfigured("qmail-local", local)).toEqual([
      111,
      "MySQL misconfiguration: alias row ('joe', 'blank', '', '') is blank: it says nothing about where the mail is to go",
    ]);
    await run("qmail-getpw", ["odd"], { env: world.env });
    expect(lines()).toHaveLength(3);
  });
});

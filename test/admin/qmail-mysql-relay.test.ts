import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { backends } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { makeWorld } from "../lib/world.ts";

const ago = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

describe.each(backends)("qmail-mysql relay over $name", ({ prepare }) => {
  const world = makeWorld();
  let sql: (text: string) => string;
  const relay = (...args: string[]) => run("qmail-mysql", ["relay", ...args], { env: world.env });
  const clients = () => sql("SELECT ip_addr FROM relay ORDER BY ip_addr").trim().split("\n");
  beforeAll(() => {
    sql = prepare(world).sql;
    const text = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    world.control("sql", `${text}relay_user user\ntime 1800\n`);
    sql(`CREATE TABLE popbsmtp (ip varchar(43) NOT NULL, login_time datetime NOT NULL, PRIMARY KEY (ip))`);
  });
  beforeEach(() => {
    sql(`DELETE FROM relay; INSERT INTO relay (ip_addr, timestamp, user) VALUES
      ('192.0.2.1', ${ago(10)}, 'joe'), ('192.0.2.2', ${ago(1801)}, 'iain'), ('192.0.2.3', ${ago(-86400)}, ''),
      ('10.1.0.0/16', 0, ''), ('10.2.', NULL, ''), ('10.3.', ${ago(1801)}, '')`);
  });
  afterAll(() => world.remove());

  test("purge is clearopensmtp: what is over goes, what is permanent or to come stays", async () => {
    const got = await relay("purge");
    expect([got.code, got.stdout]).toEqual([0, "2 deleted\n"]);
    expect(clients()).toEqual(["10.1.0.0/16", "10.2.", "192.0.2.1", "192.0.2.3"]);
  });

  test("list", async () => {
    const got = JSON.parse((await relay("list", "--json")).stdout) as { client: string; state: string }[];
    expect(got.map(({ client, state }) => [client, state.replace(/\d+ /, "N ")])).toEqual([
      ["10.1.0.0/16", "for ever"],
      ["10.2.", "for ever"],
      ["10.3.", "over"],
      ["192.0.2.1", "N seconds"],
      ["192.0.2.2", "over"],
      ["192.0.2.3", "N seconds"],
    ]);
    expect((await relay("list")).stdout).toMatch(/^192\.0\.2\.1 +\d+ seconds +joe$/m);
  });

  test.each([
    ["192.0.2.9", "192.0.2.9"],
    ["::ffff:192.0.2.9", "192.0.2.9"],
    ["2001:DB8:0:0::9", "2001:db8::9"],
    ["10.9.0.0/16", "10.9.0.0/16"],
    ["10.9.", "10.9."],
    ["2001:db8:", "2001:db8:"],
  ])("add %s, twice, and del", async (client, stored) => {
    expect((await relay("add", client)).code).toBe(0);
    expect((await relay("add", client)).code).toBe(0);
    expect(sql(`SELECT ip_addr, timestamp FROM relay WHERE ip_addr = '${stored}'`).trim()).toBe(
      `${stored}\t0`,
    );
    expect((await relay("del", client)).code).toBe(0);
    expect(clients()).not.toContain(stored);
    const again = await relay("del", client);
    expect([again.code, again.stderr]).toEqual([
      100,
      `qmail-mysql: fatal: no client "${client}" in the relay table\n`,
    ]);
  });

  test.each(["", "x", "10.1.2.300", "10.1.0.0/33", "mail.example.com", "1.2.3.4'; DROP TABLE relay"])(
    "%j is not added",
    async (client) => {
      const before = clients();
      const got = await relay("add", client);
      expect([got.code, clients()]).toEqual([100, before]);
    },
  );

  test("in Dovecot's table", async () => {
    const own = makeWorld();
    const text = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    own.control("sql", `${text}table popbsmtp\n`);
    const command = (...args: string[]) => run("qmail-mysql", ["relay", ...args], { env: own.env });
    sql("INSERT INTO popbsmtp VALUES ('192.0.2.2', '2001-01-01 00:00:00')");
    expect((await command("add", "10.9.")).stderr).toBe("");
    const checked = await run("relay-check", ["sh", "-c", "env | grep -c RELAYCLIENT"], {
      env: { ...own.env, TCPREMOTEIP: "10.9.8.7" },
    });
    expect(checked.stdout).toBe("1\n");
    expect((await command("purge")).stdout).toBe("1 deleted\n");
    expect(sql("SELECT ip FROM popbsmtp").trim()).toBe("10.9.");
    own.remove();
  });
});

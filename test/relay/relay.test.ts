import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backends, overTcp, sqlite } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { startProxy } from "../lib/proxy.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { makeWorld, type World } from "../lib/world.ts";

/** control/sql for the database that control/sqlserver names: it takes the same keys. */
function relayControl(world: World, extra = ""): void {
  world.control("sql", `${readFileSync(join(world.home, "control/sqlserver"), "latin1")}${extra}`);
}

// The variables of the decision, as a program gets them.
const SHOW = ["sh", "-c", 'env | grep -q ^RELAYCLIENT= && echo "relay=$RELAYCLIENT" || echo relay=no'];
const serve = (world: World, options: readonly string[] = [], host = "127.0.0.1") =>
  startServer("tcpserver-sql", ["-v", "-S", "-HRl0", ...options, host, "0", ...SHOW], { env: world.env });
const from = async (server: Server, ip: string) =>
  (await talk(server.port, { from: ip, host: ip.includes(":") ? ip : "127.0.0.1" })).trim();
const seconds = (ago: number) => Math.floor(Date.now() / 1000) - ago;

const YES = "relay=";
const NO = "relay=no";

describe.each(backends)("the relay table over $name", ({ prepare }) => {
  const world = makeWorld();
  let sql: (text: string) => string;
  let server: Server;
  beforeAll(async () => {
    sql = prepare(world).sql;
    relayControl(world, "relay_user user\ntime 60 * 30\n");
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES
      ('127.0.0.2', ${seconds(0)}), ('127.0.0.3', ${seconds(1810)}), ('127.0.0.4', ${seconds(-86400)}),
      ('127.0.0.5', NULL), ('127.0.0.6', 0), ('127.0.0.7', 1), ('::ffff:127.0.0.8', ${seconds(0)}),
      ('127.1.0.0/16', 0), ('127.2.', NULL), ('127.3.3', 0), ('127.4.0.0/16', ${seconds(1810)}),
      ('127.5.0.0/16', ${seconds(-86400)}), ('127.6.6.7/30', 0), ('127.7.7.7/32', 0),
      ('999.9.9.9/8', 0), ('127.9.0.0/33', 0), ('127.10.0.0/x', 0), ('%', 0), ('127.%', 0), ('', 0);`);
    server = await serve(world, [], "0");
    await sleep(300);
  });
  afterAll(async () => {
    await server.stop();
    world.remove();
  });

  test.each([
    ["127.0.0.1", NO, "not in the table"],
    ["127.0.0.2", YES, "just logged in"],
    ["127.0.0.3", NO, "logged in longer ago than `time`"],
    ["127.0.0.4", YES, "a time to come"],
    ["127.0.0.5", YES, "no time: for ever"],
    ["127.0.0.6", YES, "time 0: for ever"],
    ["127.0.0.7", NO, "1970"],
    ["127.0.0.8", YES, "recorded in IPv6 clothes"],
    ["127.1.0.0", YES, "the first address of a block"],
    ["127.1.255.255", YES, "the last address of a block"],
    ["127.0.255.255", NO, "before a block"],
    ["127.2.0.1", YES, "a prefix with its last dot"],
    ["127.20.0.1", NO, "a number that begins alike"],
    ["127.3.3.3", YES, "a prefix without its last dot"],
    ["127.3.30.3", NO, "a number that begins alike"],
    ["127.4.0.1", NO, "a block that is over"],
    ["127.5.0.1", YES, "a block with a time to come"],
    ["127.6.6.4", YES, "a block written with an address inside it"],
    ["127.6.6.8", NO, "behind it"],
    ["127.7.7.7", YES, "a block of one"],
    ["127.9.0.1", NO, "33 bits"],
    ["127.10.0.1", NO, "no number of bits"],
    ["::1", NO, "IPv6, not in the table"],
  ])("%s %s: %s", async (ip, expected) => expect(await from(server, ip)).toBe(expected));

  test("a login opens the relay for the very next connection", async () => {
    for (let i = 100; i < 110; i++) {
      expect(await from(server, `127.0.0.${i}`)).toBe(NO);
      sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.${i}', ${seconds(0)})`);
      expect(await from(server, `127.0.0.${i}`)).toBe(YES);
    }
  });

  test("IPv6 addresses and prefixes; netblocks are read again at SIGHUP", async () => {
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('0:0:0:0:0:0:0:1', ${seconds(0)}), ('127.11.', 0)`);
    expect(await from(server, "::1")).toBe(YES);
    expect(await from(server, "127.11.0.1")).toBe(NO);
    server.signal("SIGHUP");
    await sleep(300);
    expect(await from(server, "127.11.0.1")).toBe(YES);
    sql("DELETE FROM relay WHERE ip_addr IN ('0:0:0:0:0:0:0:1', '127.11.')");
  });

  test("40 connections at a time from one address are all answered right", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => from(server, i % 2 === 0 ? "127.0.0.2" : "127.0.0.1")),
    );
    expect(answers).toEqual(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? YES : NO)));
  });

  test.each([
    ["127.0.0.2", YES],
    ["127.0.0.1", NO],
    ["127.1.255.255", YES],
    ["2001:db8::1", NO],
    ["::ffff:127.0.0.2", YES],
    ["127.0.0.2'; DROP TABLE relay; --", NO],
    ["127.0.0.%", NO],
    ["", NO],
    ["x".repeat(10_000), NO],
    ["127.0.0.2\n", NO],
  ])("relay-check decides the same for %j", async (ip, expected) => {
    const got = await run("relay-check", SHOW, { env: { ...world.env, TCPREMOTEIP: ip } });
    expect([got.code, got.stdout.trim(), got.stderr]).toEqual([0, expected, ""]);
  });

  test("the window closes", async () => {
    const own = makeWorld();
    own.control("sqlserver", readFileSync(join(world.home, "control/sqlserver"), "latin1"));
    relayControl(own, "time 2\n");
    const short = await serve(own);
    sql(`DELETE FROM relay WHERE ip_addr = '127.0.0.50'`);
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.50', ${seconds(0)})`);
    expect(await from(short, "127.0.0.50")).toBe(YES);
    await sleep(3100);
    expect(await from(short, "127.0.0.50")).toBe(NO);
    await short.stop();
    own.remove();
  });
});

describe.each([sqlite, overTcp])("other tables over $name", ({ prepare }) => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    sql = prepare(world).sql;
    const isSqlite = readFileSync(join(world.home, "control/sqlserver"), "latin1").includes("sqlite");
    const ago = (s: number) =>
      isSqlite ? `datetime('now', '${-s} seconds')` : `NOW() - INTERVAL ${s} SECOND`;
    // Dovecot's wiki, 2007; vpopmail before 5.6.4
    sql(`CREATE TABLE popbsmtp (ip varchar(15) NOT NULL default '', login_time datetime NOT NULL, PRIMARY KEY (ip));
      INSERT INTO popbsmtp VALUES ('127.0.0.2', ${ago(0)}), ('127.0.0.3', ${ago(1900)}), ('127.0.0.4', ${ago(-99999)}),
        ('127.1.', ${ago(-9999999)}), ('127.2.', ${ago(1900)});
      CREATE TABLE old_relay (ip_addr char(18) NOT NULL default '', timestamp char(12), PRIMARY KEY (ip_addr));
      INSERT INTO old_relay VALUES ('127.0.0.2', '${seconds(0)}'), ('127.0.0.3', '${seconds(1900)}'), ('127.0.0.4', 'junk'),
        ('127.0.0.5', ''), ('127.1.0.0/16', '0'), ('127.2.0.0/16', 'junk'), ('127.3.0.0/16', '');`);
  });
  afterAll(() => world.remove());

  test.each([
    [
      "popbsmtp",
      "",
      { "127.0.0.2": YES, "127.0.0.3": NO, "127.0.0.4": YES, "127.1.2.3": YES, "127.2.2.3": NO },
    ],
    [
      "old_relay",
      "",
      {
        "127.0.0.2": YES,
        "127.0.0.3": NO,
        "127.0.0.4": NO,
        "127.0.0.5": NO,
        "127.1.2.3": YES,
        "127.2.2.3": NO,
        "127.3.2.3": NO,
      },
    ],
  ])("%s", async (table, extra, expected) => {
    relayControl(world, `table ${table}\n${extra}`);
    const server = await serve(world);
    await sleep(300);
    for (const [ip, answer] of Object.entries(expected)) {
      expect([ip, await from(server, ip)]).toEqual([ip, answer]);
      const checked = await run("relay-check", SHOW, { env: { ...world.env, TCPREMOTEIP: ip } });
      expect([ip, checked.stdout.trim()]).toEqual([ip, answer]);
    }
    await server.stop();
  });

  test("10,000 netblocks", async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => `('10.${i >> 8}.${i & 255}.0/24', 0)`);
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ${rows.join(", ")}, ('127.9.9.0/24', 0)`);
    relayControl(world);
    const server = await serve(world);
    await sleep(1000);
    expect(await from(server, "127.9.9.255")).toBe(YES);
    expect(await from(server, "127.9.10.0")).toBe(NO);
    const checked = await run("relay-check", SHOW, { env: { ...world.env, TCPREMOTEIP: "10.39.15.1" } });
    expect(checked.stdout.trim()).toBe(YES);
    await server.stop();
  });
});

describe("when the database is in trouble", () => {
  const world = makeWorld();
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let server: Server;
  beforeAll(async () => {
    const { sql } = overTcp.prepare(world);
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.2', ${seconds(0)}), ('127.1.', 0)`);
    const text = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    proxy = await startProxy(Number(/port (\d+)/.exec(text)?.[1]));
    world.control("sql", text.replace(/port \d+/, `port ${proxy.port}`));
    server = await serve(world);
    await sleep(300);
  });
  afterAll(async () => {
    await server.stop();
    await proxy.close();
    world.remove();
  });

  /** Clients one after the other until `ms` have passed: their answers and their longest wait. */
  async function stream(ip: string, ms: number) {
    const answers = new Set<string>();
    let longest = 0;
    let count = 0;
    for (const end = performance.now() + ms; performance.now() < end; count++) {
      const begun = performance.now();
      answers.add(await from(server, ip));
      longest = Math.max(longest, performance.now() - begun);
    }
    return { answers: [...answers], longest, count };
  }
  const backWithin = async (ms: number) => {
    const begun = performance.now();
    while ((await from(server, "127.0.0.2")) !== YES) {
      if (performance.now() - begun > ms)
        throw new Error(`not back within ${ms} ms:\n${server.log().slice(-2000)}`);
      await sleep(20);
    }
  };

  test("it goes and returns: everyone is served, and right again within a second", async () => {
    expect(await from(server, "127.0.0.2")).toBe(YES);
    await proxy.down();
    await sleep(1100); // what is known from before has run out
    const away = await stream("127.0.0.2", 1000);
    expect(away.answers).toEqual([NO]);
    expect(away.longest).toBeLessThan(700);
    expect(await from(server, "127.1.2.3")).toBe(YES); // netblocks are in memory
    await proxy.up();
    await backWithin(1000);
    expect(server.log().match(/serving without the relay table/g)).toHaveLength(1);
    expect(server.log()).toContain("the relay table is back");
  });

  test("it takes 3 seconds for an answer: only the first clients notice", async () => {
    await sleep(1100);
    proxy.delay(3000);
    const slow = await stream("127.0.0.2", 1500);
    expect(slow.answers).toEqual([NO]);
    expect(slow.longest).toBeLessThan(900); // timeout 0.5, on a busy machine
    const later = await stream("127.0.0.2", 500);
    expect(later.longest).toBeLessThan(400);
    expect(later.count).toBeGreaterThan(5);
    proxy.delay(0);
    await backWithin(1000);
  });

  test("a connection that broke while idle does not affect the next client", async () => {
    await proxy.down();
    await proxy.up();
    await sleep(1100);
    expect(await from(server, "127.0.0.2")).toBe(YES);
  });

  test("while it is away it is not besieged", async () => {
    const before = proxy.count();
    proxy.delay(60_000);
    await sleep(1100);
    await Promise.all(Array.from({ length: 60 }, () => from(server, "127.0.0.1")));
    await sleep(1000);
    expect(proxy.count() - before).toBeLessThan(15);
    proxy.delay(0);
    await backWithin(1500);
  });

  test("1,000 connections, ten at a time, while it stops, returns and is slow: none is dropped", async () => {
    const quick = await startServer(
      "tcpserver-sql",
      ["-S", "-HRl0", "-b", "50", "127.0.0.1", "0", "printenv", "RELAYCLIENT"],
      { env: world.env },
    );
    await sleep(300);
    const waits: number[] = [];
    const wrong: string[] = [];
    let left = 1000;
    const client = async () => {
      while (left-- > 0) {
        const inBlock = left % 2 === 0; // of a netblock: always; the others whenever the table answers
        const begun = performance.now();
        const answer = await talk(quick.port, { from: inBlock ? "127.1.0.9" : "127.0.0.2" }).catch(
          (error: Error) => error.message,
        );
        waits.push(performance.now() - begun);
        if (answer !== "\n" && (inBlock || answer !== "")) wrong.push(answer);
      }
    };
    const clients = Promise.all(Array.from({ length: 10 }, client));
    for (const what of [proxy.down, proxy.up, () => proxy.delay(3000), () => proxy.delay(0)]) {
      const before = left;
      while (left > before - 200) await sleep(5);
      await what();
    }
    await clients;
    await sleep(1000);
    expect(await talk(quick.port, { from: "127.0.0.2" })).toBe("\n");
    await quick.stop();
    expect([wrong, waits.length]).toEqual([[], 1000]);
    const sorted = waits.toSorted((a, b) => a - b);
    expect(sorted[950]).toBeLessThan(450); // only who asked before it was known to be away waits its `timeout`
    expect(sorted[999]).toBeLessThan(1500);
  });

  test.each([
    ["serve", [0, NO]],
    ["defer", [111, "451 relay table not available, try again later (#4.3.0)"]],
  ])("relay-check, trouble %s", async (trouble, expected) => {
    const text = readFileSync(join(world.home, "control/sql"), "latin1");
    const own = makeWorld();
    own.control("sql", `${text.replace(/port \d+/, "port 1")}trouble ${trouble}\n`);
    const env = { ...own.env, TCPREMOTEIP: "127.0.0.2" };
    const got = await run("relay-check", SHOW, { env });
    expect([got.code, got.stdout.trim()]).toEqual(expected);
    expect(got.stderr).toContain("relay-check: warning: ");
    // what does not depend on the table is not in trouble
    const given = await run("relay-check", SHOW, { env: { ...env, RELAYCLIENT: "@given" } });
    expect([given.code, given.stdout.trim(), given.stderr]).toEqual([0, "relay=@given", ""]);
    own.control("relayclients", "# office\n 127.0.0. \n");
    const listed = await run("relay-check", SHOW, { env });
    expect([listed.code, listed.stdout.trim(), listed.stderr]).toEqual([0, YES, ""]);
    own.remove();
  });
});

describe("control files", () => {
  const world = makeWorld();
  afterAll(() => world.remove());

  test.each([
    ["none at all", undefined],
    ["garbage", "\0\xff\n= = =\n"],
    ["an unknown driver", "driver oracle\n"],
    ["a table that is a statement", "driver sqlite\ndatabase x\ntable relay; DROP TABLE relay\n"],
    ["no database and no qmail-sqld", "time 100\n"],
    ["an address that is none", "driver sqlite\ndatabase x\nnotify_email a b\n"],
  ])("%s: tcpserver-sql does not start; relay-check serves without relaying", async (_, text) => {
    if (text !== undefined) world.control("sql", text);
    const start = await run("tcpserver-sql", ["-S", "-HRl0", "127.0.0.1", "0", "true"], { env: world.env });
    expect(start.code).toBe(111);
    expect(start.stderr).toMatch(/^tcpserver: fatal: unable to .*control\/sql.*\n$/);
    const got = await run("relay-check", SHOW, { env: { ...world.env, TCPREMOTEIP: "127.0.0.1" } });
    expect([got.code, got.stdout.trim()]).toEqual([0, NO]);
    expect(got.stderr).toMatch(/^relay-check: warning: no relaying: unable to /);
  });

  test("a file that is not a database is trouble, not a wrong configuration: logged, and mailed once", async () => {
    const posted = join(world.home, "posted");
    const inject = join(world.home, "bin/qmail-inject");
    writeFileSync(inject, `#!/bin/sh\n{ echo "$@"; cat; } >>${posted}\n`, { mode: 0o755 });
    world.control(
      "sql",
      "driver sqlite\ndatabase /etc/passwd\nnotify_email ops@example.org\nnotify_from mail@example.org\n",
    );
    const server = await serve(world);
    expect(await from(server, "127.0.0.1")).toBe(NO);
    await server.logged("tcpserver: warning: serving without the relay table: ");
    server.signal("SIGHUP"); // which logs it again
    await server.logged(/relay table:.*relay table:/s);
    await sleep(300);
    await server.stop();
    const mail = readFileSync(posted, "latin1");
    expect(mail).toMatch(
      /^-f mail@example\.org -- ops@example\.org\nFrom: mail@example\.org\nTo: ops@example\.org\nSubject: .*\n\nserving without the relay table: .*\n$/,
    );
    expect(server.log()).not.toContain("qmail-inject");
  });

  test("the log contains whether a client is a relay client, with the text of db/relay", async () => {
    const { sql } = sqlite.prepare(world);
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.2', ${seconds(0)})`);
    relayControl(world);
    const server = await serve(world);
    await from(server, "127.0.0.2");
    await from(server, "127.0.0.3");
    await server.logged(/^tcpserver: pid \d+ IP: '127\.0\.0\.2' is a relay client$/m);
    await server.logged(/^tcpserver: pid \d+ IP: '127\.0\.0\.3' is NOT a relay client$/m);
    await server.stop();
    for (const [ip, words] of [
      ["127.0.0.2", "is a relay client"],
      ["127.0.0.3", "is NOT a relay client"],
    ]) {
      const got = await run("relay-check", ["-v", ...SHOW], { env: { ...world.env, TCPREMOTEIP: `${ip}` } });
      expect(got.stderr).toBe(`relay-check: IP: '${ip}' ${words}\n`);
    }
  });

  test("one that is changed counts at SIGHUP; one that is broken then does not", async () => {
    const { sql } = sqlite.prepare(world);
    sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.1', ${seconds(3000)})`);
    relayControl(world);
    const server = await serve(world);
    expect(await from(server, "127.0.0.1")).toBe(NO);
    relayControl(world, "time 3600\n");
    server.signal("SIGHUP");
    await sleep(300);
    expect(await from(server, "127.0.0.1")).toBe(YES);
    world.control("sql", "garbage\n");
    server.signal("SIGHUP");
    await server.logged("tcpserver: warning: serving without the relay table: ");
    expect(await from(server, "127.0.0.1")).toBe(YES);
    await server.stop();
  });

  test("relay-check: usage, a missing program", async () => {
    const usage = await run("relay-check", []);
    expect([usage.code, usage.stderr]).toEqual([
      100,
      "relay-check: usage: relay-check [ -v ] program [ arg ... ]\n",
    ]);
    relayControl(world);
    const missing = await run("relay-check", ["./nonesuch"], { env: { ...world.env, RELAYCLIENT: "" } });
    expect([missing.code, missing.stderr]).toEqual([
      111,
      "relay-check: fatal: unable to run ./nonesuch: file does not exist\n",
    ]);
  });
});

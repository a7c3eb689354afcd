import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { QMAILD } from "../lib/accounts.ts";
import { overSocket, sqlite } from "../lib/databases.ts";
import { POP3_CHAIN, type PopServer, servePop } from "../lib/pop-server.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { type RunningSqld, SQLD_UID, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// POP before SMTP where control/sql names no database: everything goes through qmail-sqld, and no program but
// it can read a secret.

const JOE = 64020; // of test/with-accounts.sh
const SAM = 64025;
const STRANGER = 64999;
const HERE = "127.0.0.1";
const LOGIN = "USER joe\r\nPASS secret\r\nQUIT\r\n";
const SHOW = ["sh", "-c", 'env | grep -q ^RELAYCLIENT= && echo "relay=$RELAYCLIENT" || echo relay=no'];
const SETTINGS = "relay_user user\nlocal 127.0.0.99\ntime 2\n";

/** A mailbox each for joe and sam, a third that shares joe's uid. */
function mailboxes(world: World): string {
  const row = (name: string, uid: number) =>
    mailboxRow({ name: name, uid: uid, home: world.user(name, uid), password: "secret" });
  return row("joe", JOE) + row("sam", SAM) + row("Joe-too", JOE);
}

/** qmail-pop3d-helper of a login, whose output is not examined, and which continues in any case. */
async function login(world: World, uid: number, user: string, ip: string): Promise<string> {
  const got = await run("qmail-pop3d-helper", ["sh", "-c", "echo served"], {
    env: { ...world.env, USER: user, HOME: "/", TCPREMOTEIP: ip },
    uid,
  });
  expect([got.code, got.stdout]).toEqual([0, "served\n"]);
  return got.stderr
    .split("\n")
    .filter((line) => !line.includes("Maildir") && line !== "")
    .join("\n");
}

const check = async (world: World, ip: string) =>
  run("relay-check", SHOW, { env: { ...world.env, TCPREMOTEIP: ip }, uid: QMAILD });

describe.skipIf(!isRoot).each([overSocket, sqlite])(
  "the relay through qmail-sqld over $name",
  ({ prepare }) => {
    const world = makeWorld();
    let sql: (text: string) => string;
    let sqld: RunningSqld;
    let smtp: Server;
    let pop: PopServer;
    const recorded = () => sql("SELECT ip_addr, user FROM relay ORDER BY ip_addr").trim();
    const relays = async (from = HERE) => (await talk(smtp.port, { from })).trim();
    beforeAll(async () => {
      ({ sql } = prepare(world));
      sql(mailboxes(world));
      world.control("sql", SETTINGS);
      if (existsSync(join(world.home, "users/mail.db")))
        execFileSync("chown", [`${SQLD_UID}`, join(world.home, "users")]);
      sqld = startSqld(world);
      smtp = await startServer("tcpserver-sql", ["-S", `-u${QMAILD}`, "-HRl0", "0", "0", ...SHOW], {
        env: world.env,
      });
      pop = await servePop(world, POP3_CHAIN);
    });
    afterEach(() => sql("DELETE FROM relay"));
    afterAll(async () => {
      pop.stop();
      await smtp.stop();
      await sqld.stop();
      world.remove();
    });

    test("a POP3 login opens it for `time` seconds, for the server and for a program of a chain", async () => {
      const both = async () => [await relays(), (await check(world, HERE)).stdout.trim()];
      expect(await both()).toEqual(["relay=no", "relay=no"]);
      expect(await talk(pop.port, { input: LOGIN })).toMatch(/^\+OK <.*\r\n\+OK \r\n\+OK \r\n\+OK \r\n$/);
      expect(recorded()).toBe(`${HERE}\tjoe`);
      expect(await both()).toEqual(["relay=", "relay="]);
      await sleep(3100);
      expect(await both()).toEqual(["relay=no", "relay=no"]);
      expect(pop.log()).not.toContain("relay");
      expect(smtp.log()).not.toContain("warning");
    });

    test.each([
      ["127.0.0.2", "relay="],
      ["127.0.0.3", "relay=no"],
      ["127.0.0.4", "relay="],
      ["127.9.255.255", "relay="],
      ["127.10.0.1", "relay=no"],
    ])("rows and netblocks: %s %s", async (ip, expected) => {
      const now = Math.floor(Date.now() / 1000);
      sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.2', 0), ('127.0.0.3', ${now - 100}),
      ('127.0.0.4', ${now + 100}), ('127.9.0.0/16', NULL), ('127.10.0.0/16', ${now - 100})`);
      process.kill(sqld.pid, "SIGHUP"); // netblocks are kept for 10 seconds
      await expect.poll(() => relays(ip)).toBe(expected);
      const got = await check(world, ip);
      expect([got.code, got.stdout.trim(), got.stderr]).toEqual([0, expected, ""]);
    });

    test("no program but qmail-sqld opens control/sqlserver or a driver", async () => {
      sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('192.0.2.1', 0)`);
      for (const program of ["qmail-pop3d-helper", "relay-check"]) {
        const trace = join(world.home, "trace");
        const { stdout } = await run(
          "/usr/bin/strace",
          ["-f", "-o", trace, "-e", "trace=open,openat,connect", join(BIN, program), ...SHOW],
          { env: { ...world.env, USER: "joe", HOME: "/", TCPREMOTEIP: "192.0.2.1" } },
        );
        expect(stdout).toBe(program === "relay-check" ? "relay=\n" : "relay=no\n");
        const text = readFileSync(trace, "latin1");
        expect(text).toContain(sqld.socket);
        expect(text).not.toMatch(/sqlserver|mysqld|mail\.db/);
      }
    });

    test("qmail-mysql relay and rebuild-cdb relay, which root runs, open the table itself", async () => {
      const added = await run("qmail-mysql", ["relay", "add", "10.1."], { env: world.env });
      expect([added.code, added.stderr]).toEqual([0, ""]);
      world.control("tcp.smtp", ":allow\n");
      const made = await run("rebuild-cdb", ["relay"], { env: world.env });
      expect([made.code, made.stderr]).toEqual([0, ""]);
      expect(
        execFileSync("cdb", ["-q", join(world.home, "control/tcp.smtp.cdb"), "10.1."]).toString(),
      ).toContain("RELAYCLIENT");
    });
    test.each([
      ["qmail-mysql", ["relay", "list"]],
      ["qmail-mysql", ["user", "list"]],
      ["rebuild-cdb", ["relay"]],
      ["rebuild-cdb", []],
    ])("%s %j of anybody else says what mends it", async (program, args) => {
      const got = await run(program, args, { env: world.env, uid: JOE });
      expect([got.code, got.stderr]).toEqual([
        111,
        `${program}: fatal: unable to read ${world.home}/control/sqlserver: access denied; fix: run this as root, for it is qmail-sqld's\n`,
      ]);
    });
  },
);

describe.skipIf(!isRoot)("who may record a login", () => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = overSocket.prepare(world));
    sql(mailboxes(world));
    world.control("sql", "relay_user user\n");
  });
  afterEach(() => sql("DELETE FROM relay"));
  afterAll(() => world.remove());
  const recorded = () => sql("SELECT ip_addr, user FROM relay ORDER BY ip_addr").trim();
  const may = "";
  const not = (uid: number) =>
    `qmail-pop3d-helper: warning: unable to open the relay for this login: unable to record a login: uid ${uid} may not do so for this mailbox`;

  describe.each<[string, [number, string, string][]]>([
    [
      "",
      [
        [JOE, "joe", may],
        [JOE, "JOE", may],
        [JOE, "joe-too", may],
        [JOE, "sam", not(JOE)],
        [JOE, "nobody", not(JOE)],
        [JOE, "", not(JOE)],
        [STRANGER, "joe", not(STRANGER)],
        [0, "joe", may],
        [0, "a system account", may],
        [SQLD_UID, "joe", may],
      ],
    ],
    [
      "relay_recorders root\n",
      [
        [JOE, "joe", not(JOE)],
        [0, "joe", may],
      ],
    ],
    [
      `relay_recorders ${STRANGER}\n`,
      [
        [JOE, "joe", not(JOE)],
        [STRANGER, "joe", may],
      ],
    ],
    [
      `relay_recorders owner, ${STRANGER}\n`,
      [
        [JOE, "joe", may],
        [JOE, "sam", not(JOE)],
        [STRANGER, "sam", may],
      ],
    ],
  ])("with sqld-settings %j", (settings, cases) => {
    beforeAll(() => void startSqld(world, settings));
    test.each(cases)("uid %i for %j: %s", async (uid, user, expected) => {
      expect(await login(world, uid, user, "192.0.2.1")).toBe(expected);
      const name = user.toLowerCase() === "joe-too" ? "Joe-too" : uid === 0 ? user : user.toLowerCase();
      expect(recorded()).toBe(expected === may ? `192.0.2.1\t${name}` : "");
    });
  });

  test("a mailbox has so many addresses at a time; root's word is not counted", async () => {
    startSqld(world, "relay_addresses 2\n");
    for (const last of [1, 2, 1]) expect(await login(world, JOE, "joe", `192.0.2.${last}`)).toBe("");
    expect(await login(world, JOE, "joe", "192.0.2.3")).toMatch(
      /: this mailbox has logged in from too many addresses$/,
    );
    expect(await login(world, SAM, "sam", "192.0.2.3")).toBe("");
    expect(await login(world, 0, "joe", "192.0.2.4")).toBe("");
    expect(recorded()).toBe("192.0.2.1\tjoe\n192.0.2.2\tjoe\n192.0.2.3\tsam\n192.0.2.4\tjoe");
  });

  test("what is no login is not recorded", async () => {
    const { socket } = startSqld(world);
    const client = join(world.home, "client");
    execFileSync("gcc", ["-o", client, join(import.meta.dirname, "../../bench/c/sqld-client.c")]);
    const ask = async (...question: string[]) => {
      const { code, stdout, stderr } = await run(client, [socket, ...question]);
      return [code, stdout + stderr];
    };
    for (const address of [
      "10.0.0.0/8",
      "10.",
      "%",
      "",
      "192.0.2.1'); DROP TABLE relay; --",
      "1".repeat(10_000),
    ]) {
      expect(await ask("recordLogin", address, "joe")).toEqual([
        111,
        expect.stringContaining("expected an address"),
      ]);
      expect(await ask("mayRelay", address)).toEqual([1, ""]);
    }
    expect(await ask("recordLogin", "192.0.2.1", "x".repeat(256))).toEqual([
      111,
      expect.stringContaining("a name"),
    ]);
    expect(await ask("recordLogin", "127.0.0.1", "joe")).toEqual([1, ""]); // listed as local
    expect(recorded()).toBe("");
    expect(await ask("recordLogin", "2001:DB8:0::1", "joe")).toEqual([0, ""]);
    expect(recorded()).toBe("2001:db8::1\tjoe");
    expect(await ask("mayRelay", "2001:db8::1")).toEqual([0, expect.stringMatching(/^(1800|1799)\n$/)]);
    sql("UPDATE relay SET timestamp = 0");
    expect(await ask("mayRelay", "2001:db8::1")).toEqual([0, "forever\n"]);
  });
});

describe.skipIf(!isRoot)("trouble", () => {
  const world = makeWorld();
  let sql: (text: string) => string;
  let sqlserver: string;
  beforeEach(() => {
    rmSync(join(world.home, "control/sqlserver"), { force: true });
    ({ sql } = overSocket.prepare(world));
    sqlserver = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    sql(mailboxes(world));
    world.control("sql", "relay_user user\ntimeout 1\n");
  });
  afterAll(() => world.remove());
  const not = "qmail-pop3d-helper: warning: unable to open the relay for this login: ";

  test("a database account that may only read is reported with the grant; with the printed grants it may write", async () => {
    const db = /^db (.*)$/m.exec(sqlserver)?.[1];
    const { stdout } = await run("qmail-mysql", ["init", "--grants"], { env: world.env });
    const password = /'qmail'@'localhost' IDENTIFIED BY '([^']*)'/.exec(stdout)?.[1];
    const grants = stdout
      .replaceAll("'qmail'", `'mail_${db}'`)
      .replace(/'qmail(admin|relay)'/g, `'$1_${db}'`);
    sql(grants);
    world.control(
      "sqlserver",
      sqlserver.replace(/^login .*$/m, `login mail_${db}`).replace(/^password .*$/m, `password ${password}`),
    );
    startSqld(world);
    const said = await login(world, JOE, "joe", "192.0.2.1");
    expect(said).toMatch(
      new RegExp(`^${not}.*command denied to user.*; fix: see qmail-mysql init --grants$`),
    );
    expect((await check(world, "192.0.2.1")).stdout).toBe("relay=no\n");
    sql(grants.replace(/^-- GRANT/m, "GRANT"));
    startSqld(world);
    expect(await login(world, JOE, "joe", "192.0.2.1")).toBe("");
    expect((await check(world, "192.0.2.1")).stdout).toBe("relay=\n");
  });

  test("an SQLite file that qmail-sqld may not write is reported", async () => {
    const own = makeWorld();
    sqlite.prepare(own).sql(mailboxes(own));
    own.control("sql", "relay_user user\n");
    const sqld = startSqld(own);
    execFileSync("chown", ["root", join(own.home, "users/mail.db")]);
    expect(await login(own, JOE, "joe", "192.0.2.1")).toMatch(/unable to change .*mail\.db: access denied/);
    await sqld.stop();
    own.remove();
  });

  test.each<[string, string | undefined, RegExp]>([
    ["garbage", "garbage\n", /control\/sql line 1: expected "key value" or "key=value"$/],
    ["a table that is not there", "table popbsmtp\n", /popbsmtp' doesn't exist$/],
  ])("control/sql is %s: mail goes on, the relay stays shut, and it is said", async (_, text, expected) => {
    world.control("sql", text ?? "");
    startSqld(world);
    expect((await run("qmail-getpw", ["joe"], { env: world.env })).code).toBe(0);
    expect(await login(world, JOE, "joe", "192.0.2.1")).toMatch(expected);
    const got = await check(world, "192.0.2.1");
    expect([got.code, got.stdout]).toEqual([0, "relay=no\n"]);
    expect(got.stderr.trim()).toMatch(expected);
  });

  test("a control/sql that came after qmail-sqld counts at SIGHUP", async () => {
    rmSync(join(world.home, "control/sql"));
    const sqld = startSqld(world);
    world.control("sql", "relay_user user\n");
    expect(await login(world, JOE, "joe", "192.0.2.1")).toMatch(
      /did not exist when qmail-sqld read it; send it SIGHUP$/,
    );
    process.kill(sqld.pid, "SIGHUP");
    await expect.poll(() => login(world, JOE, "joe", "192.0.2.1")).toBe("");
  });

  test("qmail-sqld is gone: the login goes on, and relay-check does what the administrator wants", async () => {
    const sqld = startSqld(world);
    await sqld.stop("SIGKILL");
    expect(await login(world, JOE, "joe", "192.0.2.1")).toMatch(
      /unable to ask qmail-sqld at .*: connection refused$/,
    );
    expect((await check(world, "192.0.2.1")).stdout).toBe("relay=no\n");
    world.control("sql", "trouble defer\n");
    const got = await check(world, "192.0.2.1");
    expect([got.code, got.stdout.slice(0, 4)]).toEqual([111, "451 "]);
  });

  test("qmail-sqld is frozen: neither waits for longer than `timeout`", async () => {
    const sqld = startSqld(world);
    process.kill(sqld.pid, "SIGSTOP");
    const before = performance.now();
    const [said, got] = await Promise.all([login(world, JOE, "joe", "192.0.2.1"), check(world, "192.0.2.1")]);
    expect(said).toContain("no answer within 1 seconds");
    expect(got.stderr).toContain("no answer within 1 seconds");
    expect(got.stdout).toBe("relay=no\n");
    expect(performance.now() - before).toBeLessThan(2500);
    process.kill(sqld.pid, "SIGCONT");
  });

  test("neither a database nor control/sqld", async () => {
    const own = makeWorld();
    own.control("sql", "");
    chmodSync(join(own.home, "control/sql"), 0o644);
    const expected =
      /unable to use .*control\/sql: no "database" line: expected the database's name, or control\/sqld/;
    expect(await login(own, JOE, "joe", "192.0.2.1")).toMatch(expected);
    expect((await check(own, "192.0.2.1")).stderr).toMatch(expected);
    own.remove();
  });

  test("tcpserver-sql serves at once while qmail-sqld is away, and without a restart when it is back", async () => {
    const sqld = startSqld(world);
    sql("INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.1', 0)");
    const server = await startServer("tcpserver-sql", ["-v", "-S", "-HRl0", "127.0.0.1", "0", ...SHOW], {
      env: world.env,
    });
    const relays = async () => (await talk(server.port, {})).trim();
    expect(await relays()).toBe("relay=");
    await sqld.stop("SIGKILL");
    await sleep(1100); // a yes is good for a second
    const before = performance.now();
    expect(await relays()).toBe("relay=no");
    expect(performance.now() - before).toBeLessThan(500);
    startSqld(world);
    await expect.poll(relays, { timeout: 1500, interval: 100 }).toBe("relay=");
    expect(server.log()).toMatch(/warning: serving without the relay table: unable to ask qmail-sqld/);
    await server.stop();
  });
});

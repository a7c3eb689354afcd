import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { overSocket, overTcp, sqlite } from "../lib/databases.ts";
import { startDovecot } from "../lib/dovecot.ts";
import { POP3_CHAIN, type PopServer, servePop } from "../lib/pop-server.ts";
import { run } from "../lib/program.ts";
import { startProxy } from "../lib/proxy.ts";
import { mailboxRow } from "../lib/rows.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64020; // joe of test/with-accounts.sh
const LOGIN = "USER joe\r\nPASS secret\r\nQUIT\r\n";
const HERE = "127.0.0.1"; // where the POP3 client comes from
const SHOW = ["sh", "-c", 'env | grep -q ^RELAYCLIENT= && echo "relay=$RELAYCLIENT" || echo relay=no'];

/** control/sql of a host: the database of `world`, with the test's own client not counted as local. */
function relayControl(world: World, extra: string, host = world): void {
  const text = readFileSync(join(world.home, "control/sqlserver"), "latin1");
  host.control("sql", `${text}local 127.0.0.99\n${extra}`);
}

describe.skipIf(!isRoot).each([sqlite, overTcp, overSocket])(
  "POP before SMTP over $name",
  ({ name, prepare }) => {
    const world = makeWorld();
    const hosts = [makeWorld(), makeWorld()];
    const smtp: Server[] = [];
    let sql: (text: string) => string;
    let pop: PopServer;
    beforeAll(async () => {
      sql = prepare(world).sql;
      const home = world.user("joe", UID);
      sql(mailboxRow({ name: "joe", uid: UID, home: home, password: "secret" }));
      if (name === "SQLite") {
        chmodSync(join(world.home, "users"), 0o777); // the helper writes as the user
        chmodSync(join(world.home, "users/mail.db"), 0o666);
      }
      relayControl(world, "relay_user user\ntime 2\n");
      for (const host of hosts) {
        relayControl(world, "relay_user user\ntime 2\n", host);
        smtp.push(
          await startServer("tcpserver-sql", ["-S", "-HRl0", "127.0.0.1", "0", ...SHOW], { env: host.env }),
        );
      }
      pop = await servePop(world, POP3_CHAIN);
    });
    afterEach(() => sql("DELETE FROM relay"));
    afterAll(async () => {
      pop.stop();
      for (const each of smtp) await each.stop();
      for (const each of [world, ...hosts]) each.remove();
    });
    const relays = async () =>
      Promise.all(smtp.map(async ({ port }) => (await talk(port, { from: HERE })).trim()));

    test("a login opens the relay on every host, for `time` seconds", async () => {
      expect(await relays()).toEqual(["relay=no", "relay=no"]);
      expect(await talk(pop.port, { input: LOGIN })).toMatch(/^\+OK <.*\r\n\+OK \r\n\+OK \r\n\+OK \r\n$/);
      expect(await relays()).toEqual(["relay=", "relay="]);
      expect(sql("SELECT ip_addr, user FROM relay").trim()).toBe(`${HERE}\tjoe`);
      await sleep(3100);
      expect(await relays()).toEqual(["relay=no", "relay=no"]);
      await talk(pop.port, { input: LOGIN });
      expect(await relays()).toEqual(["relay=", "relay="]);
    });

    test("a wrong password opens nothing", async () => {
      await talk(pop.port, { input: LOGIN.replace("secret", "wrong") });
      expect(sql("SELECT count(*) FROM relay").trim()).toBe("0");
    });

    test("a permanent row stays as it is when somebody logs in from there", async () => {
      sql(`INSERT INTO relay (ip_addr, timestamp, user) VALUES ('${HERE}', 0, 'the office')`);
      await talk(pop.port, { input: LOGIN });
      expect(sql("SELECT timestamp, user FROM relay").trim()).toBe("0\tthe office");
    });

    test("a real Dovecot with the post-login script does the same", async () => {
      const home = join(world.home, "../home/joe");
      const dovecot = await startDovecot(world, UID, home);
      await sleep(1100); // a yes of the test before is good for a second
      expect(await relays()).toEqual(["relay=no", "relay=no"]);
      expect(await talk(dovecot.port, { input: "" }).catch(() => "")).toContain("+OK");
      const session = await conversation(dovecot.port);
      expect(`${session}${dovecot.log()}`).toContain("+OK Logged in.");
      expect(await relays()).toEqual(["relay=", "relay="]);
      expect(sql("SELECT ip_addr, user FROM relay").trim()).toBe(`${HERE}\tjoe`);
      expect(dovecot.log()).not.toContain("Error");
      await dovecot.stop();
    });
  },
);

/** A POP3 login that waits for each answer, as clients do. */
async function conversation(port: number): Promise<string> {
  const { connect } = await import("node:net");
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const say = ["USER joe\r\n", "PASS secret\r\n", "QUIT\r\n"];
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (chunk.endsWith("\r\n")) socket.write(say.shift() ?? "");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

describe("recording a login", () => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    sql = overTcp.prepare(world).sql;
    sql(
      "CREATE TABLE popbsmtp (ip varchar(15) NOT NULL default '', login_time datetime NOT NULL, PRIMARY KEY (ip))",
    );
  });
  afterEach(() => sql("DELETE FROM relay; DELETE FROM popbsmtp"));
  afterAll(() => world.remove());
  const login = (env: Record<string, string>, own = world) =>
    run("qmail-pop3d-helper", ["sh", "-c", "echo served"], {
      env: { ...own.env, USER: "joe", HOME: "/", ...env },
      uid: isRoot ? UID : (process.getuid?.() ?? 0),
    });
  const recorded = () => sql("SELECT ip_addr FROM relay").trim();

  test.each([
    [{ TCPREMOTEIP: "192.0.2.1" }, "192.0.2.1"],
    [{ TCPREMOTEIP: "::ffff:192.0.2.1" }, "192.0.2.1"],
    [{ TCPREMOTEIP: "2001:DB8:0::1" }, "2001:db8::1"],
    [{ IP: "192.0.2.2" }, "192.0.2.2"],
    [{ IP: "192.0.2.2", TCPREMOTEIP: "192.0.2.1" }, "192.0.2.1"],
    [{}, ""],
    [{ TCPREMOTEIP: "127.0.0.1" }, ""],
    [{ TCPREMOTEIP: "::1" }, ""],
    [{ TCPREMOTEIP: "" }, ""],
    [{ TCPREMOTEIP: "192.0.2.1'); DROP TABLE relay; --" }, ""],
    [{ TCPREMOTEIP: "10.0.0.0/8" }, ""],
    [{ TCPREMOTEIP: "10." }, ""],
    [{ TCPREMOTEIP: "%" }, ""],
    [{ TCPREMOTEIP: "1".repeat(100_000) }, ""],
  ])("%j is recorded as %j", async (env, expected) => {
    const text = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    world.control("sql", text);
    const got = await login(env);
    expect([got.code, got.stdout]).toEqual([0, "served\n"]);
    expect(got.stderr).not.toContain("relay");
    expect(recorded()).toBe(expected);
  });

  test("in popbsmtp", async () => {
    world.control("sql", `${readFileSync(join(world.home, "control/sqlserver"), "latin1")}table popbsmtp\n`);
    await login({ TCPREMOTEIP: "192.0.2.1" });
    await login({ TCPREMOTEIP: "192.0.2.1" });
    expect(sql("SELECT ip, TIMESTAMPDIFF(SECOND, login_time, NOW()) < 5 FROM popbsmtp").trim()).toBe(
      "192.0.2.1\t1",
    );
  });

  test("without control/sql nothing is recorded and nothing logged", async () => {
    const own = makeWorld();
    const got = await login({ TCPREMOTEIP: "192.0.2.1" }, own);
    expect([got.code, got.stdout]).toEqual([0, "served\n"]);
    expect(got.stderr).not.toContain("relay");
    own.remove();
  });

  test.each([
    ["is down", async (proxy: Awaited<ReturnType<typeof startProxy>>) => proxy.down()],
    ["does not answer", async (proxy: Awaited<ReturnType<typeof startProxy>>) => proxy.delay(60_000)],
  ])("a database that %s neither fails the login nor delays it beyond `timeout`", async (_, hurt) => {
    const own = makeWorld();
    const text = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    const proxy = await startProxy(Number(/port (\d+)/.exec(text)?.[1]));
    own.control("sql", text.replace(/port \d+/, `port ${proxy.port}`));
    await hurt(proxy);
    const got = await login({ TCPREMOTEIP: "192.0.2.1" }, own);
    expect([got.code, got.stdout]).toEqual([0, "served\n"]);
    expect(got.stderr).toMatch(/^qmail-pop3d-helper: warning: unable to open the relay for this login: /m);
    expect(got.ms).toBeLessThan(1500); // timeout 0.5, a start, a busy machine
    proxy.delay(0);
    await proxy.close().catch(() => {});
    own.remove();
  });

  test.skipIf(!isRoot)(
    "a control/sql that the user may not read is said, and the login goes on",
    async () => {
      const own = makeWorld();
      chmodSync(own.control("sql", "user x\ndatabase x\n"), 0o600);
      const got = await login({ TCPREMOTEIP: "192.0.2.1" }, own);
      expect([got.code, got.stdout]).toEqual([0, "served\n"]);
      expect(got.stderr).toContain("access denied");
      own.remove();
    },
  );
});

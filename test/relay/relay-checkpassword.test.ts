import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { overSocket } from "../lib/databases.ts";
import { POP3_CHAIN, type PopServer, servePop } from "../lib/pop-server.ts";
import { run } from "../lib/program.ts";
import { startProxy } from "../lib/proxy.ts";
import { mailboxRow } from "../lib/rows.ts";
import { talk } from "../lib/server.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// `relay yes`: checkpassword opens the relay while it is root, and control/sql is root's alone.

const JOE = 64020; // of test/with-accounts.sh
const FD3 = "joe\0secret\0\0";

describe.skipIf(!isRoot)("relay yes", () => {
  const world = makeWorld();
  let sql: (text: string) => string;
  let pop: PopServer;
  beforeAll(async () => {
    ({ sql } = overSocket.prepare(world, "relay yes\n"));
    sql(mailboxRow({ name: "joe", uid: JOE, home: world.user("joe", JOE), password: "secret" }));
    ownControl(world, "");
    pop = await servePop(world, POP3_CHAIN);
  });
  afterEach(() => sql("DELETE FROM relay"));
  afterAll(() => {
    pop.stop();
    world.remove();
  });
  const recorded = () => sql("SELECT ip_addr, user FROM relay").trim();
  const login = (env: Record<string, string>, fd3 = FD3) =>
    run("checkpassword", ["/bin/sh", "-c", "echo in $USER"], { fd3, env: { ...world.env, ...env } });

  test("a POP3 login is recorded once, and the helper, who may not read control/sql, does not complain", async () => {
    const session = await talk(pop.port, { input: "USER joe\r\nPASS secret\r\nQUIT\r\n" });
    expect(session).not.toContain("-ERR");
    expect(recorded()).toBe("127.0.0.1\tjoe");
    expect(pop.log()).toBe("");
  });

  test.each<[string, Record<string, string>, string, string]>([
    ["POP3", { TCPREMOTEIP: "192.0.2.1", TCPLOCALPORT: "110" }, FD3, "192.0.2.1\tjoe"],
    ["no port", { TCPREMOTEIP: "192.0.2.1" }, "JOE\0secret\0\0", "192.0.2.1\tjoe"],
    ["a system account", { TCPREMOTEIP: "192.0.2.1" }, "sam\0x\0\0", ""],
    ["no address", {}, FD3, ""],
    ["a wrong password", { TCPREMOTEIP: "192.0.2.1" }, "joe\0wrong\0\0", ""],
    // vpopmail: "never for SMTP AUTH"
    ["SMTP", { TCPREMOTEIP: "192.0.2.1", TCPLOCALPORT: "25" }, FD3, ""],
    ["SMTPS", { TCPREMOTEIP: "192.0.2.1", TCPLOCALPORT: "465" }, FD3, ""],
    ["submission", { TCPREMOTEIP: "192.0.2.1", TCPLOCALPORT: "587" }, FD3, ""],
  ])("%s", async (_, env, fd3, expected) => {
    const got = await login(env, fd3);
    expect(got.code).toBe(/secret/.test(fd3) ? 0 : 1);
    expect(recorded()).toBe(expected);
  });

  test("started by joe instead of root, records nothing", async () => {
    startSqld(world);
    const got = await run("checkpassword", ["true"], {
      fd3: FD3,
      env: { ...world.env, TCPREMOTEIP: "192.0.2.1" },
      uid: JOE,
    });
    expect([got.code, got.stderr, recorded()]).toEqual([0, "", ""]);
  });

  test("through qmail-sqld, where nobody but root may record", async () => {
    world.control("sql", "relay_user user\n");
    startSqld(world, "relay_recorders root\n");
    const got = await login({ TCPREMOTEIP: "192.0.2.1" });
    expect([got.code, got.stdout, got.stderr]).toEqual([0, "in joe\n", ""]);
    expect(recorded()).toBe("192.0.2.1\tjoe");
    const session = await talk(pop.port, { input: "USER joe\r\nPASS secret\r\nQUIT\r\n" });
    expect(session).not.toContain("-ERR");
    expect(pop.log()).toBe("");
    ownControl(world, "");
  });

  test.each([
    ["is down", async (proxy: Awaited<ReturnType<typeof startProxy>>) => proxy.down()],
    ["does not answer", async (proxy: Awaited<ReturnType<typeof startProxy>>) => proxy.delay(60_000)],
  ])("a relay table that %s neither fails the login nor delays it beyond `timeout`", async (_, hurt) => {
    const proxy = await startProxy(inject("mariadb").port);
    ownControl(world, `server 127.0.0.1\nport ${proxy.port}\n`);
    await hurt(proxy);
    const got = await login({ TCPREMOTEIP: "192.0.2.1" });
    expect([got.code, got.stdout]).toEqual([0, "in joe\n"]);
    expect(got.stderr).toMatch(/^checkpassword: warning: unable to open the relay for this login: .*\n$/);
    expect(got.ms).toBeLessThan(2000); // timeout 0.5, a start, a busy machine
    proxy.delay(0);
    await proxy.close().catch(() => {});
    ownControl(world, "");
  });
});

/** control/sql with the account of control/sqlserver, for root's eyes only. */
function ownControl(world: World, servers: string): void {
  const lines = readFileSync(join(world.home, "control/sqlserver"), "latin1").split("\n");
  const own = lines.filter((line) => line !== "relay yes" && (servers === "" || !line.startsWith("server")));
  chmodSync(world.control("sql", `${servers}${own.join("\n")}\nrelay_user user\nlocal 127.0.0.99\n`), 0o600);
}

import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { QMAILD } from "../lib/accounts.ts";
import { overSocket } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { ask, type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const HOSTILE = 64999;

describe.skipIf(!isRoot)("logins through qmail-sqld", () => {
  const world = makeWorld();
  const home = world.user("iain", UID);
  let sqld: RunningSqld;
  beforeAll(() => {
    const { sql } = overSocket.prepare(world);
    sql(
      [
        mailboxRow({ name: "iain", uid: UID, home: home, password: "secret" }),
        mailboxRow({ name: "gone", uid: UID, home: home, password: "secret", suspended: "Y" }),
      ].join("\n"),
    );
  });
  beforeEach(() => {
    sqld = startSqld(world, `login_callers ${QMAILD}\n`);
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
  });
  const from = (address: string) => ({ ...world.env, TCPREMOTEIP: address, TCPLOCALPORT: "110" });
  const login = (name: string, password: string, address: string, uid = 0) =>
    run("checkpassword", ["/bin/true"], { env: from(address), fd3: `${name}\0${password}\0\0`, uid });
  // As qmail-smtpd asks: with a service, the verdict is final.
  const guess = async (name: string, address: string, service = "submission") => {
    const began = performance.now();
    const answer = await ask(sqld.socket, "authenticate", name, "guess", "", address, "587", service);
    return { answer, ms: performance.now() - began };
  };
  const counted = async (): Promise<{ service: string; verdict: string; value: number }[]> =>
    JSON.parse((await run("qmail-sqld", ["stats", "--json"], { env: world.env })).stdout).logins;
  const lines = () => sqld.said().split("\n").slice(0, -1);

  // Of joe, checkpassword finds a system account, whose password is "system".
  test.each([
    ["iain", "secret", 0, "192.0.2.1", 0, "accepted", "address=192.0.2.1 uid=0 user=iain why=-"],
    ["IAIN", "secret", 0, "2001:DB8::1", 0, "accepted", "address=2001:db8::1 uid=0 user=iain why=-"],
    ["iain", "guess", 1, "192.0.2.1", 0, "refused", "address=192.0.2.1 uid=0 user=iain why=wrong_password"],
    ["gone", "secret", 1, "192.0.2.1", 0, "refused", "address=192.0.2.1 uid=0 user=gone why=suspended"],
    [
      "nobody-here",
      "x",
      1,
      "192.0.2.1",
      0,
      "refused",
      "address=192.0.2.1 uid=0 user=nobody-here why=unknown",
    ],
    ["joe", "system", 0, "192.0.2.1", 0, "accepted", "address=192.0.2.1 uid=0 user=joe why=system_account"],
    ["joe", "guess", 1, "192.0.2.1", 0, "refused", "address=192.0.2.1 uid=0 user=joe why=wrong_password"],
    ["iain", "guess", 1, "x y=z", 0, "refused", "address=- uid=0 user=iain why=wrong_password"],
    [
      "iain",
      "guess",
      1,
      "192.0.2.1",
      HOSTILE,
      "refused",
      `address=- uid=${HOSTILE} user=iain why=wrong_password`,
    ],
    [
      "iain",
      "guess",
      1,
      "192.0.2.1",
      QMAILD,
      "refused",
      `address=192.0.2.1 uid=${QMAILD} user=iain why=wrong_password`,
    ],
  ])("log a line: %s %s", async (name, password, code, address, uid, verdict, rest) => {
    const service = "service=pop3";
    expect((await login(name, password, address, uid)).code).toBe(code);
    expect(lines()).toEqual([`qmail-sqld: login: verdict=${verdict} ${service} ${rest}`]);
    expect(await counted()).toContainEqual({ service: "pop3", verdict, value: 1 });
  });

  test("stats counts the attempts of each service", async () => {
    await login("iain", "secret", "192.0.2.1");
    await guess("iain", "192.0.2.5");
    await guess("iain", "192.0.2.6", "smtp");
    await guess("iain", "192.0.2.7", "smtp");
    await guess("iain", "192.0.2.8", "x\ny");
    expect((await counted()).filter(({ value }) => value > 0)).toEqual([
      { service: "pop3", verdict: "accepted", value: 1 },
      { service: "submission", verdict: "refused", value: 1 },
      { service: "smtp", verdict: "refused", value: 2 },
      { service: "other", verdict: "refused", value: 1 },
    ]);
  });

  test("login_log failures logs only failures, login_log none logs nothing", async () => {
    sqld = startSqld(world, "login_log failures\n");
    await login("iain", "secret", "192.0.2.1");
    await login("iain", "guess", "192.0.2.1");
    expect(lines()).toEqual([expect.stringContaining("verdict=refused")]);
    sqld = startSqld(world, "login_log none\n");
    await login("iain", "guess", "192.0.2.1");
    expect(lines()).toEqual([]);
  });

  test("fail2ban finds the addresses that failed, whatever name a client sends", async () => {
    await login("iain", "guess", "192.0.2.1");
    await login(
      "x address=198.51.100.1 uid=0 user=y why=z\nqmail-sqld: login: verdict=refused",
      "x",
      "2001:db8::1",
    );
    await login("iain", "secret", "192.0.2.3");
    await login("iain", "guess", "192.0.2.4", HOSTILE);
    await guess("iain", "192.0.2.5");
    const log = join(world.home, "current");
    const stamped = execFileSync("tai64n", { input: sqld.said() });
    writeFileSync(log, stamped);
    const filter = join(import.meta.dirname, "../../conf/fail2ban/filter.d/qmail-sqld.conf");
    const out = execFileSync("fail2ban-regex", ["-o", "<ip> <F-USER>", log, filter]).toString();
    expect(out.trim().split("\n")).toEqual([
      "192.0.2.1 iain",
      expect.stringMatching(/^2001:db8::1 x_address\\x3d198\.51\.100\.1_uid/),
      "192.0.2.5 iain",
    ]);
  });

  test("30,000 guesses per second are reduced to a few, and other clients are not delayed", async () => {
    const guesses = `import select, socket, sys, time
q = b"authenticate\\0iain\\0guess\\0\\0"
socks = [socket.socket(socket.AF_UNIX) for _ in range(40)]
for s in socks: s.connect(sys.argv[1]); s.sendall(b"%d:%s," % (len(q), q) * 4)
print("", flush=True)
end, n = time.time() + 4, 0
while time.time() < end:
    for s in select.select(socks, [], [], 0.1)[0]:
        got = s.recv(65536).count(b"wrong password")
        n += got
        s.sendall(b"%d:%s," % (len(q), q) * got)
print(n)
`;
    const child = spawn("/usr/bin/python3", ["-c", guesses, sqld.socket], {
      uid: HOSTILE,
      gid: HOSTILE,
      cwd: "/",
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    await expect.poll(() => said).toContain("\n");
    const others = await Promise.all([
      login("iain", "secret", "192.0.2.1"),
      login("iain", "secret", "192.0.2.1", UID),
    ]);
    expect(others.map(({ code }) => code)).toEqual([0, 0]);
    for (const { ms } of others) expect(ms).toBeLessThan(2000);
    await new Promise((resolve) => child.on("close", resolve));
    const judged = Number(said.trim());
    expect(judged).toBeGreaterThan(0);
    expect(judged).toBeLessThan(20);
  });

  test("of one address and login are delayed, and then are trouble; another address is not", async () => {
    const failures = Array.from({ length: 30 }, () => login("iain", "guess", "192.0.2.9"));
    const elsewhere = await login("iain", "secret", "192.0.2.10");
    expect([elsewhere.code, elsewhere.ms < 3000]).toEqual([0, true]);
    const outcomes = await Promise.all(failures);
    expect(outcomes.filter(({ code }) => code === 1).length).toBeLessThan(20);
    const delayed = outcomes.filter(({ code }) => code === 111);
    expect(delayed.length).toBeGreaterThan(9);
    expect(delayed[0]?.stderr).toMatch(
      /^checkpassword: fatal: unable to judge this login: too many failures; try again in \d+ seconds\n$/,
    );
  }, 40_000);

  test("qmaild is believed unless login_callers says otherwise, and what it does not find is counted", async () => {
    sqld = startSqld(world);
    for (let i = 0; i < 2; i++) await login("nobody-here", "x", "192.0.2.20", QMAILD);
    const line = (why: string) => `verdict=refused service=pop3 address=192.0.2.20 uid=${QMAILD} user=${why}`;
    expect(lines()).toEqual(Array(2).fill(`qmail-sqld: login: ${line("nobody-here why=unknown")}`));
    sqld = startSqld(world, "login_callers root\n");
    await login("iain", "guess", "192.0.2.20", QMAILD);
    expect(lines()).toEqual([expect.stringContaining(`address=- uid=${QMAILD} user=iain`)]);
  });

  test("failures at any logins of one address delay it, for IPv6 of one network, but not others", async () => {
    sqld = startSqld(world, "login_shared 192.0.2.66\n");
    for (const [own, neighbour, other] of [
      ["192.0.2.30", "192.0.2.30", "192.0.2.31"],
      ["2001:db8::30", "2001:db8::31", "2001:db8:0:1::30"],
    ] as const) {
      for (let i = 0; i < 22; i++) await guess(`u${i}`, own);
      expect((await guess("iain", other)).ms).toBeLessThan(400);
      expect((await guess("iain", neighbour)).ms).toBeGreaterThan(400);
    }
    for (let i = 0; i < 30; i++) await guess(`u${i}`, "192.0.2.66");
    expect((await guess("iain", "192.0.2.66")).ms).toBeLessThan(400);
    expect(lines().slice(0, 1)).toEqual([
      "qmail-sqld: login: verdict=refused service=submission address=192.0.2.30 uid=0 user=u0 why=unknown",
    ]);
  }, 20_000);

  test("failures by POP3 and by SMTP are counted together", async () => {
    for (let i = 0; i < 3; i++) await login("iain", "guess", "192.0.2.40");
    for (let i = 0; i < 3; i++) await guess("iain", "192.0.2.40");
    expect((await guess("iain", "192.0.2.40")).ms).toBeGreaterThan(400);
  });
});

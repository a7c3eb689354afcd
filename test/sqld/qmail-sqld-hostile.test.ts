import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket } from "../lib/databases.ts";
import { proc, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { ask, figure, type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const HOSTILE = 64999; // a hostile local user
const QMAILP = 64013; // with-accounts.sh

describe.skipIf(!isRoot)("a hostile local user", () => {
  const world = makeWorld();
  const home = world.user("joe", UID);
  const storm = join(tmpdir(), `storm-${process.pid}`);
  let sqld: RunningSqld;
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = overSocket.prepare(world));
    const row = (name: string, password: string, type: string) =>
      sql(mailboxRow({ name: name, uid: UID, home: home, password: password, type: type }));
    row("joe", "secret", "Password");
    const bcrypt = execFileSync("mkpasswd", ["-m", "bcrypt", "-R", "6", "secret"]).toString().trim();
    for (let i = 0; i < 40; i++) row(`slow${i}`, bcrypt, "Crypt-Password");
    for (const name of ["slow", "slower"]) row(name, bcrypt, "Crypt-Password");
    execFileSync("gcc", ["-O2", "-o", storm, join(import.meta.dirname, "../lib/storm.c")]);
    sqld = startSqld(world);
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
    rmSync(storm, { force: true });
  });

  test.each([1, 400])("who connects without end, %d connections open, is felt by nobody", async (hold) => {
    const resident = connect(sqld.socket);
    let closed = false;
    resident.on("close", () => {
      closed = true;
    });
    await new Promise((resolve) => resident.once("connect", resolve));
    const storms = [1, 2].map(() =>
      spawn(storm, [sqld.socket, `${hold}`, "60"], { uid: HOSTILE, gid: HOSTILE, cwd: "/" }),
    );
    await expect.poll(() => figure(sqld.socket, "clients_refused").catch(() => 0)).toBeGreaterThan(1000);
    const outcomes: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      const login = run("checkpassword", ["/bin/true"], { env: world.env, fd3: "joe\0secret\0\0" });
      const getpw = run("qmail-getpw", ["joe"], { env: world.env, uid: QMAILP });
      for (const { code, stderr } of await Promise.all([login, getpw])) outcomes.push([code, stderr]);
    }
    const stats = await run("qmail-sqld", ["stats"], { env: world.env }); // does not wait in connect(2)
    await Promise.all(storms.map(ended));
    expect(outcomes).toEqual(Array(20).fill([0, ""]));
    expect([stats.code, stats.stderr]).toEqual([0, ""]);
    expect(closed).toBe(false);
    resident.destroy();
  });

  function ended(child: ChildProcess): Promise<void> {
    child.kill("SIGKILL");
    return new Promise((resolve) => child.once("exit", () => resolve()));
  }

  /** A program of the hostile user's, begun when it has written a line. */
  async function hostile(code: string): Promise<ChildProcess> {
    const child = spawn("/usr/bin/python3", ["-c", code, sqld.socket], {
      uid: HOSTILE,
      gid: HOSTILE,
      cwd: "/",
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    return child;
  }

  test("a client that sends logins in a loop does not prevent those of others", async () => {
    const flood = await hostile(`import socket, sys
socks = [socket.socket(socket.AF_UNIX) for _ in range(40)]
qs = [b"authenticate\\0slow%d\\0secret\\0\\0" % i for i in range(40)]
for s, q in zip(socks, qs): s.connect(sys.argv[1]); s.sendall(b"%d:%s," % (len(q), q) * 4)
print("", flush=True)
while True:
    for s, q in zip(socks, qs):
        for _ in range(4): s.recv(4096); s.sendall(b"%d:%s," % (len(q), q))
`);
    await expect.poll(() => figure(sqld.socket, "logins_waiting")).toBeGreaterThan(100);
    const logins = await Promise.all(
      ["slow", "slower"].map((name) =>
        run("checkpassword", ["/bin/true"], { env: world.env, fd3: `${name}\0secret\0\0` }),
      ),
    );
    await ended(flood);
    for (const { code, stderr, ms } of logins) {
      expect([code, stderr]).toEqual([0, ""]);
      expect(ms).toBeLessThan(3000); // 160 wait before them, 20 ms each
    }
  });

  test("120 logins at once are as many as are verified", async () => {
    const logins = Array.from({ length: 120 }, () => ask(sqld.socket, "authenticate", "slow", "secret", ""));
    const verdicts = (await Promise.all(logins)).map((answer) => answer.slice(0, 9));
    expect(verdicts).toEqual(Array(120).fill("Faccepted"));
  });

  test("a client that does not read its responses does not exhaust the memory", async () => {
    const long = "x".repeat(200);
    sql(`INSERT INTO alias VALUES ${Array(2000).fill(`('joe', 'big', '${long}', '${long}')`).join()}`);
    const question = ["findAliases", "joe", "big", "big", "big", "big"];
    expect((await ask(sqld.socket, ...question)).length).toBeGreaterThan(800_000);
    const flood = await hostile(`import socket, sys, time
q = b"${question.map((field) => `${field}\\0`).join("")}"
socks = [socket.socket(socket.AF_UNIX) for _ in range(350)]
for s in socks: s.connect(sys.argv[1])
for s in socks: s.sendall(b"%d:%s," % (len(q), q) * 8)
print("", flush=True)
time.sleep(60)
`);
    await expect.poll(() => figure(sqld.socket, "clients_greedy")).toBeGreaterThan(100);
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toMatch(/^Fjoe/);
    await ended(flood);
    const peak = Number(/^VmHWM:\s*(\d+) kB$/m.exec(proc(sqld.pid, "status"))?.[1]);
    expect(peak).toBeLessThan(400_000);
  });

  test("a client with more connections than descriptors costs no processor time", async () => {
    sqld = startSqld(world, "", ["/usr/bin/prlimit", "--nofile=100:100"]);
    expect(sqld.said()).toMatch(/^qmail-sqld: warning: \d\d clients at most, .* descriptors is 100\n$/);
    const flood = await hostile(`import socket, sys, time
socks = [socket.socket(socket.AF_UNIX) for _ in range(300)]
for s in socks: s.setblocking(False)
for s in socks: s.connect_ex(sys.argv[1])
print("", flush=True)
time.sleep(60)
`);
    const ticks = () =>
      proc(sqld.pid, "stat")
        .split(") ")[1]
        ?.split(" ")
        .slice(11, 13)
        .map(Number)
        .reduce((a, b) => a + b) ?? 0;
    const before = ticks();
    await sleep(1500);
    expect(ticks() - before).toBeLessThan(50); // hundredths of a second
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toMatch(/^Fjoe/);
    await ended(flood);
  });
});

import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { run } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { type Server, startServer } from "../lib/server.ts";
import { isRoot } from "../lib/world.ts";

const dir = mkdtempSync(join(tmpdir(), "workers-"));
const WORKER = [join(dir, "runtime"), join(dir, "worker.js")];
const AS = ["-u", String(QMAILD), "-g", String(NOFILES)];
const servers: Server[] = [];

interface Session {
  readonly socket: Socket;
  /** The pid of its worker. */
  readonly worker: number;
  readonly env: readonly string[];
  send(text: string): Promise<string>;
  readonly closed: Promise<void>;
}

/** Connects and waits for the first line. */
function session(port: number, from = "127.0.0.1"): Promise<Session> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  let received = (_: string) => {};
  const next = () =>
    new Promise<string>((resolve) => {
      received = resolve;
    });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.setEncoding("latin1").on("error", () => {});
  let rest = "";
  const line = new Promise<string>((resolve, reject) => {
    socket.on("data", (text: string) => {
      rest += text;
      if (!rest.includes("\n")) return;
      resolve(rest);
      received(text);
    });
    socket.on("close", () => reject(new Error("closed")));
  });
  return line.then((first) => ({
    socket,
    worker: Number(first.split(" ", 1)[0]),
    env: JSON.parse(first.slice(first.indexOf(" "))),
    send(text) {
      const reply = next();
      socket.write(text);
      return reply;
    },
    closed,
  }));
}

/** Sessions of both of two workers, which are not ready at the same time. */
async function ofBoth({ port }: Server): Promise<Session[]> {
  const sessions = [await session(port)];
  while (new Set(sessions.map(({ worker }) => worker)).size < 2) {
    await sleep(20);
    sessions.push(await session(port));
  }
  return sessions;
}

async function serve(...args: string[]): Promise<Server> {
  const server = await startServer("tcpserver-sql", ["-v", "-HRl0", ...args], {
    cwd: dir,
    env: { PLAIN: "x", PROTO: "stale", RELAYED: "no" },
  });
  servers.push(server);
  return server;
}

const start = (...args: string[]) => serve(...AS, ...args, "127.0.0.1", "0", ...WORKER);

describe.skipIf(!isRoot)("tcpserver-sql -w", () => {
  beforeAll(() => {
    chmodSync(dir, 0o755);
    copyFileSync(process.execPath, join(dir, "runtime"));
    chmodSync(join(dir, "runtime"), 0o755);
    const source = join(import.meta.dirname, "../lib/echo-worker.ts");
    execFileSync(process.execPath, ["build", source, "--target=bun", `--outfile=${join(dir, "worker.js")}`]);
    writeFileSync(join(dir, "rules"), '127.0.0.2:allow,RELAYCLIENT="",RELAYED="yes"\n127.0.0.3:deny\n');
    execFileSync("tcprules", ["rules.cdb", "rules.tmp"], {
      cwd: dir,
      input: readFileSync(join(dir, "rules")),
    });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop("SIGKILL");
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test("workers have only the uid, the gid and the groups of -u and -g, and replace a child for each client", async () => {
    const server = await start("-w", "2");
    const sessions = await ofBoth(server);
    const workers = new Set(sessions.map(({ worker }) => worker));
    for (const pid of workers) {
      const status = readFileSync(`/proc/${pid}/status`, "latin1");
      expect(/^Uid:\s+(.*)$/m.exec(status)?.[1]).toBe(Array(4).fill(QMAILD).join("\t"));
      expect(/^Gid:\s+(.*)$/m.exec(status)?.[1]).toBe(Array(4).fill(NOFILES).join("\t"));
      expect(/^Groups:\s+(.*?) *$/m.exec(status)?.[1]).toBe(String(NOFILES));
    }
    expect(await sessions[0]?.send("hello\n")).toBe("hello\n");
  });

  test("the environment is that of the session: relaying and other clients at random", async () => {
    const server = await start("-w", "2", "-c", "500", "-b", "500", "-x", "rules.cdb");
    const random = numbers(12);
    const open: { from: string; session: Session }[] = [];
    const look = ({ from, session: { env, socket } }: (typeof open)[number]) => {
      const relays = from === "127.0.0.2";
      expect(env.filter((entry) => entry.startsWith("RELAYCLIENT"))).toEqual(relays ? ["RELAYCLIENT="] : []);
      expect(env.filter((entry) => entry.startsWith("RELAYED"))).toEqual([
        relays ? "RELAYED=yes" : "RELAYED=no",
      ]);
      expect(env.filter((entry) => entry.startsWith("TCPREMOTE")).sort()).toEqual([
        `TCPREMOTEIP=${from}`,
        `TCPREMOTEPORT=${socket.localPort}`,
      ]);
      expect(env).toContain("PROTO=TCP");
      expect(env).toContain("PLAIN=x");
    };
    const begun = Array.from({ length: 400 }, async () => {
      await sleep(random(300));
      const from = random(2) === 0 ? "127.0.0.2" : "127.0.0.4";
      open.push({ from, session: await session(server.port, from) });
    });
    await Promise.all(begun);
    expect(open.length).toBe(400);
    open.forEach(look);
    await expect(session(server.port, "127.0.0.3")).rejects.toThrow("closed");
  });

  test("a session is logged as a child is, by the pid of its worker and a number", async () => {
    const server = await start("-w", "1");
    const first = await session(server.port);
    const second = await session(server.port);
    first.socket.write("x");
    await first.closed;
    const name = (n: number) => `${first.worker}.${n}`;
    await server.logged(`end ${name(1)} status ${7 << 8}\n`);
    second.socket.end();
    await server.logged(`end ${name(2)} status 0\n`);
    const [one, two] = [first, second].map(({ env }) =>
      env.find((entry) => entry.startsWith("TCPREMOTEPORT")),
    );
    const port = (entry: string | undefined) => entry?.slice("TCPREMOTEPORT=".length);
    expect(server.log().replaceAll("tcpserver: ", "")).toBe(`status: 0/40
status: 1/40
pid ${name(1)} from 127.0.0.1
ok ${name(1)} 0:127.0.0.1:${server.port} :127.0.0.1::${port(one)}
status: 2/40
pid ${name(2)} from 127.0.0.1
ok ${name(2)} 0:127.0.0.1:${server.port} :127.0.0.1::${port(two)}
end ${name(1)} status ${7 << 8}
status: 1/40
end ${name(2)} status 0
status: 0/40
`);
  });

  test("a worker that is killed takes only its own sessions with it, and is replaced", async () => {
    const server = await start("-w", "2", "-c", "300");
    for (const { socket, closed } of await ofBoth(server)) {
      socket.write("q");
      await closed;
    }
    await server.logged(/status: 0\/300\n$/);
    const sessions = await Promise.all(Array.from({ length: 20 }, () => session(server.port)));
    const victim = sessions[0]?.worker;
    const [lost, kept] = [true, false].map((is) =>
      sessions.filter(({ worker }) => (worker === victim) === is),
    );
    expect(lost?.length).toBe(10);
    process.kill(Number(victim), "SIGKILL");
    for (const { closed } of lost ?? []) await closed;
    for (const each of kept ?? []) expect(await each.send("still here\n")).toBe("still here\n");
    await server.logged(/status: 20\/300\n.*status: 10\/300\n/s);
    expect(server.log().match(new RegExp(`end ${victim}\\.\\d+ status 9\n`, "g"))?.length).toBe(10);
    const replacement = (await ofBoth(server)).map(({ worker }) => worker);
    expect(replacement).not.toContain(victim);
  });

  test("a worker that hangs gets no more sessions, and is killed and replaced; the others continue", async () => {
    const server = await start("-w", "2", "-c", "300");
    const sessions = await ofBoth(server);
    const victim = Number(sessions[0]?.worker);
    const [lost, kept] = [true, false].map((is) =>
      sessions.filter(({ worker }) => (worker === victim) === is),
    );
    process.kill(victim, "SIGSTOP");
    const began = performance.now();
    await sleep(8000);
    for (let i = 0; i < 10; i++) kept?.push(await session(server.port));
    expect(kept?.map(({ worker }) => worker)).not.toContain(victim);
    for (const { closed } of lost ?? []) await closed;
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(server.log()).toContain(`warning: worker ${victim} has not responded for 14 seconds: killed\n`);
    for (const each of kept ?? []) expect(await each.send("still here\n")).toBe("still here\n");
    const replacement = (await ofBoth(server)).map(({ worker }) => worker);
    expect(replacement).not.toContain(victim);
  }, 40_000);

  test("the limit counts sessions", async () => {
    const server = await start("-w", "2", "-c", "3");
    const three = [await session(server.port), await session(server.port), await session(server.port)];
    const fourth = session(server.port);
    const early = await Promise.race([fourth, sleep(500)]);
    expect(early).toBeUndefined();
    three[0]?.socket.write("q");
    expect((await fourth).worker).toBeGreaterThan(0);
  });

  test("after SIGTERM sessions continue, without a server, and the workers end with the last of them", async () => {
    const server = await start("-w", "2");
    const sessions = await ofBoth(server);
    const [first, ...others] = sessions.toReversed(); // alone in its worker
    expect(await server.stop("SIGTERM")).toBe(0);
    await expect(session(server.port)).rejects.toThrow();
    for (const each of sessions) expect(await each.send("going on\n")).toBe("going on\n");
    const workers = new Set(sessions.map(({ worker }) => worker));
    const alive = () => [...workers].filter(isAlive).length;
    first?.socket.write("q");
    for (let tries = 0; alive() > 1 && tries < 200; tries++) await sleep(20);
    expect(alive()).toBe(1);
    for (const { socket } of others) socket.write("q");
    for (let tries = 0; alive() > 0 && tries < 200; tries++) await sleep(20);
    expect(alive()).toBe(0);
  });

  test("a program that is no worker is reported, and serves no client", async () => {
    const server = await serve(...AS, "-w", "1", "127.0.0.1", "0", "/bin/sh", "-c", "echo 220; sleep 60");
    await server.logged(/warning: worker \d+ ended with status 9/);
    const client = session(server.port);
    client.catch(() => {});
    expect(await Promise.race([client, sleep(300)])).toBeUndefined();
  });

  test("a program that says something else and ends at once does not end the server", async () => {
    const server = await serve(...AS, "-w", "2", "127.0.0.1", "0", "/bin/sh", "-c", "echo 220 >&0");
    await server.logged(/(?:warning: worker \d+ ended with status [09], sessions 0\n[\s\S]*){4}/);
    expect(await server.stop()).toBe(0);
  });

  test("root serves nobody", async () => {
    const refused = await run("tcpserver-sql", ["-w", "1", "127.0.0.1", "0", ...WORKER]);
    expect(refused).toMatchObject({
      code: 111,
      stderr: "tcpserver: fatal: unable to start workers as root: -w needs -u and -g\n",
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

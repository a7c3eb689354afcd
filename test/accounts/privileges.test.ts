import { execFileSync } from "node:child_process";
import { chownSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket } from "../lib/databases.ts";
import { makeQueue, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { children, forkServers, isAlive, workers } from "../lib/processes.ts";
import { proc, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { type RunningSqld, SQLD_UID, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;

const IDENTITY = /^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb)):\t(.*)$/gm;

/** Who a process is by its status file: ids, groups and capabilities, a line each. */
function identityIn(status: string): string[] {
  return Array.from(status.matchAll(IDENTITY), ([, name, , value = ""]) => `${name} ${value.trim()}`);
}

/** Who a process is, in every thread of it. */
function identity(pid: number): string[] {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    identityIn(proc(pid, `task/${thread}/status`)),
  );
  for (const thread of threads) expect(thread).toEqual(threads[0]);
  return threads[0] ?? [];
}

/** Nobody but this user, and for ever: real, effective, saved and file system ids, and no capability. */
function nobodyBut(uid: number, gid: number, groups = String(gid)): string[] {
  const four = (id: number) => Array(4).fill(id).join("\t");
  const none = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map((set) => `${set} 0000000000000000`);
  return [`Uid ${four(uid)}`, `Gid ${four(gid)}`, `Groups ${groups}`, ...none];
}

/** What a process has open, numbers left out; the runtime's own event queues are not counted. */
function holds(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, ""))
    .filter((target) => !/^anon_inode:\[(eventpoll|eventfd|timerfd)\]$/.test(target))
    .sort();
}

describe.skipIf(!isRoot)("in /proc", () => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  let lspawn: RunningLspawn;
  let sqld: RunningSqld;
  beforeAll(async () => {
    const hash = execFileSync("mkpasswd", ["-m", "sha-256", "secret"]).toString().trim();
    const { sql } = overSocket.prepare(world);
    sql(mailboxRow({ name: "iain", uid: UID, home: home, gid: GID, password: hash, type: "Crypt-Password" }));
    makeQueue(world);
    sqld = startSqld(world);
    lspawn = startLspawn(world);
    expect(await lspawn.deliver("iain@h")).toBe("Kdid 1+0+0\n");
  });
  afterAll(async () => {
    await lspawn.end();
    await sqld.stop();
    world.remove();
  });
  const isBound = (pid: number) => identity(pid)[0] !== `Uid ${Array(4).fill(0).join("\t")}`;

  test("qmail-lspawn is root, and holds no file of a user's", () => {
    expect(identity(lspawn.pid)[0]).toBe("Uid 0\t0\t0\t0");
    expect(holds(lspawn.pid).filter((target) => target.startsWith("/"))).not.toContain(home);
    expect(holds(lspawn.pid).join()).not.toContain("queue/mess");
  });

  const WORKER = ["/dev/null", "pipe:", "pipe:", "socket:"];

  test("a worker of a mailbox is that user in every thread, without a capability, and holds no message", () => {
    const bound = workers(lspawn.pid).filter(isBound);
    expect(bound.length).toBeGreaterThan(0);
    for (const pid of bound) {
      expect(identity(pid)).toEqual(nobodyBut(UID, GID));
      expect(holds(pid)).toEqual(WORKER);
    }
  });

  test("a worker that waits for a first user has its tasks, its output and nothing else: no way to qmail-sqld", async () => {
    const spares = () => workers(lspawn.pid).filter((pid) => !isBound(pid));
    // two by default, started after the first delivery
    await expect.poll(() => spares().map(holds)).toEqual([WORKER, WORKER]);
  });

  test("the process that forks workers is root, and holds requests, answers and nothing else", () => {
    const servers = forkServers(lspawn.pid);
    expect(servers).toHaveLength(1);
    for (const pid of servers) {
      expect(identity(pid)[0]).toBe("Uid 0\t0\t0\t0");
      expect(holds(pid).filter((what) => !what.startsWith("anon_inode:"))).toEqual([
        "/dev/null",
        "/dev/null",
        "pipe:",
        "socket:",
      ]);
      expect(readdirSync(`/proc/${pid}/task`)).toHaveLength(1);
    }
  });

  test("a program that qmail-local runs is the user, and gets descriptors 0 to 2 alone", async () => {
    const file = join(home, ".qmail-look");
    writeFileSync(file, "|cat /proc/self/status >status; ls /proc/self/fd >fds\n");
    chownSync(file, UID, GID);
    expect(await lspawn.deliver("iain-look@h")).toBe("Kdid 0+0+1\n");
    expect(identityIn(readFileSync(join(home, "status"), "latin1"))).toEqual(nobodyBut(UID, GID));
    // 3 is the directory that ls reads
    expect(readFileSync(join(home, "fds"), "latin1")).toBe("0\n1\n2\n3\n");
  });

  test("qmail-sqld is its account, and so is a process of its that hashes, which knows and holds nothing more", async () => {
    const login = { env: world.env, fd3: "iain\0secret\0\0" };
    expect((await run("checkpassword", ["/bin/true"], login)).code).toBe(0);
    const account = nobodyBut(SQLD_UID, SQLD_UID, ""); // lib/sqld.ts leaves it no groups at all
    expect(identity(sqld.pid)).toEqual(account);
    const hashers = children(sqld.pid);
    expect(hashers).toHaveLength(1);
    for (const pid of hashers) {
      expect(identity(pid)).toEqual(account);
      expect(proc(pid, "environ")).toBe("");
      // its jobs and its verdicts; neither the database nor the socket that clients come to
      expect(holds(pid)).toEqual(["/dev/null", "socket:", "socket:"]);
    }
  });

  test("the processes that compute hashes end with qmail-sqld, even if it is killed", async () => {
    const hashers = children(sqld.pid);
    expect(hashers).toHaveLength(1);
    await sqld.stop("SIGKILL");
    await expect.poll(() => hashers.filter(isAlive)).toEqual([]);
  });
});

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { putDotQmail } from "../lib/crash-users.ts";
import { sqlite } from "../lib/databases.ts";
import { makeQueue, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { children, forkServers, isAlive, workers } from "../lib/processes.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const USERS = 12;
const DONE = "Kdid 1+0+0\n";

describe.skipIf(!isRoot)("no mail waits for the process that forks workers", () => {
  const world = makeWorld();
  const homes = Array.from({ length: USERS }, (_, i) => world.user(`u${i}`, UID + i, UID + i));
  const library = join(world.home, "no-fork.so");
  const said = join(world.home, "said");
  let lspawn: RunningLspawn;

  beforeAll(() => {
    execFileSync("gcc", ["-shared", "-fPIC", "-o", library, join(import.meta.dirname, "../lib/no-fork.c")]);
    const rows = homes.map((home, i) => `('u${i}', ${UID + i}, ${UID + i}, '${home}', '', 'Password', 'N')`);
    sqlite.prepare(world).sql(`INSERT INTO mailbox VALUES ${rows}`);
    world.control("lspawn-settings", "workers 8\n"); // fewer than users: processes are started all the time
    makeQueue(world);
  });
  afterEach(async () => {
    expect(await lspawn.end()).toBe(0);
  });
  afterAll(() => world.remove());

  const start = (env: Readonly<Record<string, string>> = {}) => {
    const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    lspawn = startLspawn(world, "./Maildir/", 1, ["sh", "-c", `exec env "$@" 2>${said}`, "sh", ...set]);
  };
  const inPlace = () => homes.reduce((sum, home) => sum + readdirSync(join(home, "Maildir/new")).length, 0);
  let delnum = 0;
  const deliver = (n: number) =>
    Promise.all(
      Array.from({ length: n }, () => {
        delnum = (delnum + 1) % 100;
        return lspawn.deliver(`u${delnum % USERS}@h`, { delnum });
      }),
    );
  /** Delivers, meanwhile does something, and expects each delivery to be made once. */
  const eachOnce = async (rounds: number, meanwhile: () => Promise<void> | void = () => {}) => {
    const before = inPlace();
    let isOver = false;
    const all = (async () => {
      const reports = new Set<string>();
      for (let i = 0; i < rounds; i++) for (const report of await deliver(40)) reports.add(report);
      isOver = true;
      return reports;
    })();
    while (!isOver) {
      await meanwhile();
      await sleep(20);
    }
    expect(await all).toEqual(new Set([DONE]));
    expect(inPlace() - before).toBe(rounds * 40);
  };
  const warning = (why: string) =>
    `qmail-lspawn: warning: unable to fork workers: ${why}: starting each by itself\n`;
  const alone = () => children(lspawn.pid).filter((pid) => !forkServers(lspawn.pid).includes(pid));

  test("which works", async () => {
    start();
    await eachOnce(3);
    expect(workers(lspawn.pid).length).toBeGreaterThan(0);
    expect(alone()).toEqual([]);
    expect(readFileSync(said, "utf8")).toBe("");
    const names = homes.flatMap((home) => readdirSync(join(home, "Maildir/new")));
    const pids = new Set(names.map((name) => Number(/P(\d+)Q/.exec(name)?.[1])));
    expect(pids.size).toBeGreaterThan(USERS - 1); // a worker has one uid
    expect(pids).not.toContain(forkServers(lspawn.pid)[0]);
  });

  test.each([
    ["cannot fork", "fails"],
    ["has a thread that stays", "thread"],
    ["gets a thread that stays", "late"],
  ])("which %s", async (_, what) => {
    start({ LD_PRELOAD: library, NO_FORK: what });
    await eachOnce(2);
    expect(alone().filter(isAlive).length).toBeGreaterThan(0);
    expect(workers(lspawn.pid).length).toBeLessThan(3);
    expect(readFileSync(said, "utf8")).toBe(warning("the fork server cannot fork"));
  });

  test("which is killed again and again", async () => {
    start();
    await deliver(20);
    let kills = 0;
    await eachOnce(5, () => {
      for (const pid of forkServers(lspawn.pid).filter(isAlive)) {
        process.kill(pid, "SIGKILL");
        kills++;
      }
    });
    expect(kills).toBeGreaterThan(1);
  });

  test("which is killed while qmail-local runs: its end is awaited, and the report says what is unknown", async () => {
    const home = homes[0] ?? "";
    putDotQmail(home, UID, "slow", "|touch began; until test -e go; do sleep 0.02; done; echo done >>made\n");
    start();
    const report = lspawn.deliver("u0-slow@h");
    await expect.poll(() => readdirSync(home)).toContain("began");
    const [server = 0] = forkServers(lspawn.pid);
    process.kill(server, "SIGKILL");
    await expect.poll(() => isAlive(server)).toBe(false);
    expect(readdirSync(home)).not.toContain("made");
    writeFileSync(join(home, "go"), "");
    expect(await report).toBe(
      "ZUnable to get the exit code of qmail-local: the message may have been delivered. (#4.3.0)\n",
    );
    expect(readFileSync(join(home, "made"), "utf8")).toBe("done\n");
  });

  test("which is stopped", async () => {
    start();
    await deliver(20);
    const [server = 0] = forkServers(lspawn.pid);
    process.kill(server, "SIGSTOP");
    await eachOnce(2);
    expect(forkServers(lspawn.pid)).not.toContain(server);
  }, 20_000);
});

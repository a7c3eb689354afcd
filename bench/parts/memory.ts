// The memory of qmail-lspawn and its workers on a machine of 1 GB, with the default settings, while 200 uids get mail,
// and their deliveries per second, compared with stock. PLACES (0 and 1) chooses file systems.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { startMariaDb } from "../../test/lib/mariadb.ts";
import { children, isAlive } from "../../test/lib/processes.ts";
import { proc } from "../../test/lib/program.ts";
import { makeSite, type Site, type Spawner, USERS } from "../lib/deliveries.ts";
import { median } from "../lib/measure.ts";
import { memoryCgroup } from "../lib/memory-cgroup.ts";
import { places } from "../lib/places.ts";
import { emit, say } from "../lib/results.ts";

const PLACES = process.env.PLACES?.split(" ").map(Number) ?? [0, 1];
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 1);
const AT = [20, 100];
const GB = 2 ** 30;
const EVERY = 300; // milliseconds between two looks

const database = await startMariaDb();
const all = places();
const machine = memoryCgroup(GB);
try {
  for (const [i, place] of all.entries()) {
    if (!PLACES.includes(i)) continue;
    const site = makeSite(place, database);
    try {
      const inside = (one: Spawner): Spawner => ({ ...one, wrap: [...machine.wrap, ...one.wrap] });
      const spawners = [...site.stock(), site.ours("ours", "")].map(inside);
      for (const at of AT) {
        const rates = spawners.map((): number[] => []);
        for (let round = 0; round < ROUNDS; round++) {
          spawners.forEach((spawner, i) => {
            rates[i]?.push(site.deliver(spawner, { ms: 0, at, users: USERS, seconds: SECONDS }).rate);
          });
        }
        for (const [i, spawner] of spawners.entries()) {
          const rate = median(rates[i] ?? []);
          const { pss, processes } = await sizeOf(site, spawner, at);
          emit({ fileSystem: place.fileSystem, what: spawner.what, users: USERS, at, rate, pss, processes });
          say(
            `${place.fileSystem.padEnd(24)} ${spawner.what.padEnd(28)} ${at} at a time ${rate.toFixed(0)}/s  ${pss.toFixed(0)} MB in ${processes} processes`,
          );
        }
      }
    } finally {
      site.remove();
    }
  }
} finally {
  machine.remove();
  for (const place of all) place.remove();
  await database.stop();
}

/** The maximum memory of qmail-lspawn and its descendants together, in MB, and their number at that time. */
async function sizeOf(site: Site, spawner: Spawner, at: number): Promise<{ pss: number; processes: number }> {
  const { words, env } = site.command(spawner, { ms: 0, at, users: USERS, seconds: 2 * SECONDS });
  const [program = "", ...args] = words;
  const driver = spawn(program, args, { env, stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => driver.once("exit", resolve));
  let most = { pss: 0, processes: 0 };
  while (driver.exitCode === null && driver.signalCode === null) {
    await sleep(EVERY);
    const pids = descendants(driver.pid ?? 0);
    const pss = pids.reduce((sum, pid) => sum + pssOf(pid), 0);
    if (pss > most.pss) most = { pss, processes: pids.length };
  }
  if ((await ended) !== 0) throw new Error(`${spawner.what}: a delivery failed`);
  site.empty();
  return most;
}

function descendants(pid: number): number[] {
  try {
    const own = children(pid).filter(isAlive);
    return [...own, ...own.flatMap(descendants)];
  } catch {
    return []; // it is gone
  }
}

/** Megabytes: private memory and the proportional share of shared memory (PSS). */
function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB$/m.exec(proc(pid, "smaps_rollup"))?.[1]) / 1024;
  } catch {
    return 0; // it is gone
  }
}

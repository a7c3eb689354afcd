import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Killed } from "./crash-judge.ts";
import { mail } from "./crash-users.ts";
import { children, forkServers, isAlive, isAtWork, signal, state, workers } from "./processes.ts";
import { type Delivery, startQmailSend } from "./qmail-send.ts";
import { numbers } from "./random.ts";
import type { World } from "./world.ts";

const AT_ONCE = 20;
const VICTIMS = [
  "qmail-lspawn",
  "qmail-lspawn and its workers",
  "worker",
  "worker",
  "fork server",
  "qmail-sqld",
  "database",
] as const;
const REPORTS = 60; // between two kills, at most
const PAUSE = 20; // milliseconds after them, at most
const LINGER = 10_000; // milliseconds
const STOPS = 1000; // milliseconds within which a process stops

/** Kills and restarts a process that is not part of qmail-lspawn. */
export type Others = Partial<Record<"qmail-sqld" | "database", () => Promise<void>>>;

export interface Crashed {
  readonly deliveries: readonly Delivery[];
  readonly killed: Killed;
  /** Number of each kind. */
  readonly kills: Readonly<Record<string, number>>;
  /** Milliseconds that the last worker outlived its qmail-lspawn. */
  readonly lingered: number;
}

/**
 * Keeps a qmail-lspawn busy, kills a process `points` times at random moments, restarts it each time, and waits until
 * all mail is delivered. Those of `others` that are not given are not killed; the other choices stay the same.
 */
export async function crash(
  world: World,
  points: number,
  seed: number,
  spawnLspawn: () => ChildProcess,
  others: Others,
): Promise<Crashed> {
  const random = numbers(seed);
  const killed = { workers: new Set<number>(), spawners: new Set<number>() };
  const kills: Record<string, number> = {};
  const ends: Promise<number>[] = [];
  const send = startQmailSend(world, AT_ONCE, spawnLspawn, mail(numbers(seed)));

  async function killSpawner(withWorkers: boolean, pause: number): Promise<void> {
    const pid = send.pid();
    stop(pid); // so that the list of its workers is whole
    const servers = forkServers(pid);
    servers.forEach(stop);
    const all = [...children(pid), ...workers(pid)]; // the children of a stock qmail-lspawn are its workers
    if (withWorkers) all.forEach(kill);
    kill(pid);
    await send.gone();
    for (const server of servers) signal(server, "SIGCONT");
    killed.spawners.add(pid);
    ends.push(allGone(all));
    await sleep(pause);
    await send.begin();
  }

  function killForkServers(): void {
    for (const server of forkServers(send.pid())) kill(server);
  }

  function killWorker(which: number): void {
    const servers = forkServers(send.pid());
    const all = (servers.length > 0 ? servers.flatMap(children) : children(send.pid())).filter(isAlive);
    const busy = all.filter(isAtWork);
    const of = busy.length > 0 ? busy : all;
    const worker = of[which % of.length];
    if (worker !== undefined && kill(worker)) killed.workers.add(worker);
  }

  await send.begin();
  for (let i = 0; i < points; i++) {
    const victim = VICTIMS[random(VICTIMS.length)] ?? "worker";
    const [reports, pause, which] = [random(REPORTS), random(PAUSE), random(1000)];
    const isOther = victim === "qmail-sqld" || victim === "database";
    const other = isOther ? others[victim] : undefined;
    if (isOther && !other) continue;
    await send.reports(reports);
    await sleep(pause);
    kills[victim] = (kills[victim] ?? 0) + 1;
    if (other) await other();
    else if (victim === "worker") killWorker(which);
    else if (victim === "fork server") killForkServers();
    else await killSpawner(victim !== "qmail-lspawn", which % PAUSE);
  }
  await send.drain();
  return { deliveries: send.deliveries, killed, kills, lingered: Math.max(0, ...(await Promise.all(ends))) };
}

const kill = (pid: number) => signal(pid, "SIGKILL");

/** Returns when the process has stopped or is gone: until then it may fork. */
function stop(pid: number): void {
  signal(pid, "SIGSTOP");
  for (const end = Date.now() + STOPS; !["T", "Z", undefined].includes(state(pid)) && Date.now() < end; );
}

/** Settles with the milliseconds until none of these processes lives. */
async function allGone(pids: readonly number[]): Promise<number> {
  const began = Date.now();
  while (pids.some(isAlive)) {
    if (Date.now() - began > LINGER) throw new Error(`${pids.filter(isAlive)} outlive their qmail-lspawn`);
    await sleep(10);
  }
  return Date.now() - began;
}

import { closeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { closeQuietly, type Descriptors } from "@qmail-mysql/native";
import { QLX_EXECHARD } from "@qmail-mysql/trouble";
import { netstringReader, toBuffer } from "@qmail-mysql/wire";
import { BECOMING, encodeTask, type Task } from "./order.ts";
import { type Ended, OUTPUT_LIMIT } from "./report.ts";
import { type Outcome, startWorker, type Worker } from "./worker-process.ts";

export interface Workers {
  deliver(task: Task, message: number): Promise<Outcome>;
  count(): number;
  /** Ends those that are idle, and the others after their delivery. */
  close(): void;
}

export interface Limits {
  /** Processes at once. */
  readonly workers: number;
  /** Those kept ready for a uid that has none. */
  readonly spares: number;
  /** Seconds without a delivery after which one ends. */
  readonly idle: number;
}

const REPLY_LIMIT = 65_536; // bytes of a worker's reply
const SWEEP = 5000; // milliseconds
const START = 50; // milliseconds a worker may take to its first delivery's end
const SOON = 10; // milliseconds to any other's
const ENOUGH = availableParallelism();

/** A delivery without a worker yet. */
interface Waiting {
  readonly task: Task;
  readonly identity: string;
  readonly message: number;
  readonly settle: (outcome: Outcome) => void;
  readonly since: number;
}

/**
 * Processes that deliver, each for one uid and gid. Started when needed, ended when idle. An identity's deliveries
 * share as many as there are processors, which is fastest and spares the starts; those that something keeps (a slow
 * disk, a large message) do not count.
 */
export function openWorkers(limits: Limits, descriptors: Descriptors, fork = startWorker): Workers {
  const all = new Set<Worker>();
  let waiting: Waiting[] = [];
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function startOne(): Worker | undefined {
    try {
      const worker = fork(descriptors, { said: hear, silent: settled, ended });
      all.add(worker);
      return worker;
    } catch {
      return undefined;
    }
  }

  function hear(worker: Worker, text: string): void {
    if (worker.isLocal) {
      // One byte more than a report may have says that it was too long.
      if (worker.said.length <= OUTPUT_LIMIT) worker.said += text.slice(0, OUTPUT_LIMIT + 1);
      return;
    }
    worker.said += text;
    if (worker.said.startsWith(BECOMING)) {
      worker.isLocal = true;
      const rest = worker.said.slice(BECOMING.length);
      worker.said = "";
      if (rest !== "") hear(worker, rest);
      next(); // it is nobody's worker any more
      return;
    }
    let reply: string | undefined;
    try {
      [reply] = netstringReader(REPLY_LIMIT).push(worker.said);
    } catch {
      worker.child.kill("SIGKILL"); // it is no longer what it was
      return;
    }
    if (reply === undefined) return;
    worker.said = "";
    const nul = reply.indexOf("\0");
    const { job } = worker;
    worker.job = undefined;
    worker.made++;
    worker.since = performance.now();
    job?.({ ended: { status: Number(reply.slice(0, nul)) }, output: reply.slice(nul + 1) });
    next();
  }

  function ended(worker: Worker, how: Ended): void {
    worker.ended = how;
    settled(worker);
  }

  /** As spawn.c: a delivery is over when its process was reaped and nobody holds its output any more. */
  function settled(worker: Worker): void {
    if (!worker.ended || !worker.silent || !all.delete(worker)) return;
    closeQuietly(worker.tasks);
    worker.job?.({ ended: worker.ended, output: worker.isLocal ? worker.said : "" });
    next();
  }

  function retire(worker: Worker): void {
    closeQuietly(worker.tasks);
    all.delete(worker);
  }

  const idle = () => [...all].filter(({ job }) => !job);

  /** One of its own, else, unless enough of its own are at work, a spare, a new one or one in another's place. */
  function find({ identity, since }: Waiting): Worker | "no fork" | undefined {
    const now = performance.now();
    let own = 0;
    let spare: Worker | undefined;
    for (const worker of all) {
      if (worker.ended) continue;
      const isOwn = worker.identity === identity;
      if (worker.job) {
        if (isOwn && !worker.isLocal && worker.since > now - (worker.made === 0 ? START : SOON)) own++;
      } else if (isOwn) return worker;
      else if (!worker.identity) spare = worker;
    }
    if (own >= ENOUGH) return undefined;
    if (spare) return spare;
    if (all.size >= limits.workers) {
      const other = leastUseful(since > now - START);
      if (!other) return undefined;
      retire(other);
    }
    return startOne() ?? (own > 0 ? undefined : "no fork");
  }

  /**
   * The idle one with the fewest deliveries, for whoever gets much mail gets more; of these the youngest, or else a
   * few more users than workers would take each other's place all the time. If need be one that is waited for.
   */
  function leastUseful(mayWait: boolean): Worker | undefined {
    const wanted = new Set(mayWait ? waiting.map(({ identity }) => identity) : []);
    let least: Worker | undefined;
    for (const worker of all) {
      if (worker.job || worker.ended || wanted.has(worker.identity ?? "")) continue;
      if (!least || worker.made <= least.made) least = worker;
    }
    return least;
  }

  function begin(delivery: Waiting): boolean {
    const worker = find(delivery);
    if (!worker) return false;
    const { task, identity, message, settle } = delivery;
    const packet = encodeTask(task);
    if (worker === "no fork" || packet === undefined) {
      closeSync(message);
      // E2BIG is permanent to stock qmail-lspawn.
      settle(worker === "no fork" ? worker : { ended: { status: QLX_EXECHARD }, output: "" });
      return true;
    }
    worker.job = settle;
    worker.identity = identity;
    worker.since = performance.now();
    if (!descriptors.send(worker.tasks, toBuffer(packet), message)) {
      // It is gone, and nothing was begun.
      worker.job = undefined;
      retire(worker);
      return begin(delivery);
    }
    closeSync(message);
    setImmediate(keepSpares);
    return true;
  }

  /** Begins what can be, the oldest first; of each identity no more than one gets further than those before it. */
  function next(): void {
    const stuck = new Set<string>();
    waiting = waiting.filter((delivery) => {
      if (stuck.has(delivery.identity)) return true;
      if (begin(delivery)) return false;
      stuck.add(delivery.identity);
      return true;
    });
    lookAgain();
    if (closed) for (const worker of idle()) retire(worker);
  }

  /** A worker that is late is seen by the clock alone. */
  function lookAgain(): void {
    if (timer || waiting.length === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      next();
    }, SOON);
  }

  function keepSpares(): void {
    if (closed) return;
    let spares = 0;
    for (const { identity } of all) if (!identity) spares++;
    while (spares++ < limits.spares && all.size < limits.workers && startOne());
  }

  const sweep = setInterval(() => {
    const late = performance.now() - limits.idle * 1000;
    for (const worker of idle()) if (worker.identity && worker.since < late) retire(worker);
  }, SWEEP);
  sweep.unref?.();

  keepSpares();
  return {
    deliver: (task, message) =>
      new Promise((settle) => {
        const identity = `${task.uid}:${task.gid}`;
        const delivery = { task, identity, message, settle, since: performance.now() };
        const before = waiting.some((other) => other.identity === identity);
        if (!before && begin(delivery)) return;
        waiting.push(delivery);
        lookAgain();
      }),
    count: () => all.size,
    close() {
      closed = true;
      clearInterval(sweep);
      next();
    },
  };
}

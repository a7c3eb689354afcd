import { closeSync } from "node:fs";
import { closeQuietly, type Descriptors } from "@qmail-mysql/native";
import { QLX_EXECHARD } from "@qmail-mysql/trouble";
import { netstringReader, toBuffer } from "@qmail-mysql/wire";
import { choose, type Limits, sparesMissing } from "../choose.ts";
import { OUTPUT_LIMIT } from "../report.ts";
import { BECOMING, encodeTask, type Task } from "../task.ts";
import { openStarter } from "./starter.ts";
import type { Delivery, Listener, Outcome, Worker } from "./worker-process.ts";

export interface Workers {
  deliver(task: Task, message: number): Promise<Outcome>;
  /** Ends idle workers at once, the others after their delivery. */
  close(): void;
}

const REPLY_LIMIT = 65_536; // bytes of a worker's reply
const SWEEP = 5000; // milliseconds
const PATIENCE = 50; // milliseconds for which a delivery does not replace a worker that others wait for
const LOOK_AGAIN = 10; // milliseconds

/** The workers, each for one uid and gid: started when needed, ended when idle. choose.ts decides which. */
export function openWorkers(limits: Limits, descriptors: Descriptors, open = openStarter): Workers {
  const all = new Set<Worker>();
  let waiting: Delivery[] = [];
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const starter = open(descriptors, { output, silent: settle, ended: settle } satisfies Listener);

  function output(worker: Worker, text: string): void {
    if (worker.isLocal) {
      // One byte above the limit is kept, so that the report shows that it was too long.
      if (worker.output.length <= OUTPUT_LIMIT) worker.output += text.slice(0, OUTPUT_LIMIT + 1);
      return;
    }
    worker.output += text;
    if (worker.output.startsWith(BECOMING)) {
      worker.isLocal = true;
      const rest = worker.output.slice(BECOMING.length);
      worker.output = "";
      if (rest !== "") output(worker, rest);
      return;
    }
    let reply: string | undefined;
    try {
      [reply] = netstringReader(REPLY_LIMIT).push(worker.output);
    } catch {
      if (worker.pid !== undefined && !worker.ended) process.kill(worker.pid, "SIGKILL"); // invalid reply
      return;
    }
    if (reply !== undefined) replied(worker, reply);
  }

  function replied(worker: Worker, reply: string): void {
    const nul = reply.indexOf("\0");
    const { job } = worker;
    worker.output = "";
    worker.job = undefined;
    worker.made++;
    worker.since = performance.now();
    if (worker.isOver) retire(worker);
    if (job) over(job, { ended: { status: Number(reply.slice(0, nul)) }, output: reply.slice(nul + 1) });
    next();
  }

  /** As in spawn.c, a delivery is over when its process was reaped and no process has its output open. */
  function settle(worker: Worker): void {
    if (worker.ended && !worker.isBusy) retire(worker);
    if (!worker.ended || !worker.isSilent) return;
    const { job, ended } = worker;
    worker.job = undefined;
    retire(worker);
    if (job && ended === "never" && !worker.isLocal) waiting.unshift(job);
    else if (job) {
      const how = ended === "never" ? { signal: "SIGKILL" } : ended;
      over(job, how === "no fork" ? how : { ended: how, output: worker.isLocal ? worker.output : "" });
    }
    next();
  }

  function over({ message, settle }: Delivery, outcome: Outcome): void {
    closeSync(message);
    settle(outcome);
  }

  /** Closes the socket of a worker, upon which it ends. */
  function retire(worker: Worker): void {
    if (all.delete(worker)) closeQuietly(worker.tasks);
  }

  function startOne(): Worker | undefined {
    try {
      const worker = starter.start();
      all.add(worker);
      return worker;
    } catch {
      return undefined;
    }
  }

  function find({ identity, since }: Delivery): Worker | "wait" | "no fork" {
    const isPatient = since > performance.now() - PATIENCE;
    const wanted = new Set(isPatient ? waiting.map((other) => other.identity) : []);
    const choice = choose(all, identity, wanted, limits);
    if (choice === "wait") return choice;
    if ("use" in choice) return choice.use;
    if (choice.end) retire(choice.end);
    return startOne() ?? ([...all].some((worker) => worker.identity === identity) ? "wait" : "no fork");
  }

  /** Begins a delivery; false if it has to wait for a worker. */
  function begin(delivery: Delivery): boolean {
    const { task, identity, message } = delivery;
    const packet = encodeTask(task);
    const worker = packet === undefined ? undefined : find(delivery);
    if (worker === "wait") return false;
    if (worker === "no fork" || packet === undefined || worker === undefined) {
      // E2BIG is a permanent error in stock qmail-lspawn.
      over(delivery, worker === "no fork" ? worker : { ended: { status: QLX_EXECHARD }, output: "" });
      return true;
    }
    worker.job = delivery;
    worker.identity = identity;
    worker.since = performance.now();
    if (!descriptors.send(worker.tasks, toBuffer(packet), [message])) {
      // The worker has ended before the delivery began.
      worker.job = undefined;
      retire(worker);
      return begin(delivery);
    }
    setImmediate(keepSpares);
    return true;
  }

  /** Begins waiting deliveries, the oldest first; of each identity at most one that cannot begin is tried. */
  function next(): void {
    const stuck = new Set<string>();
    if (waiting.length > 0) {
      waiting = waiting.filter((delivery) => {
        if (stuck.has(delivery.identity)) return true;
        if (begin(delivery)) return false;
        stuck.add(delivery.identity);
        return true;
      });
    }
    lookAgain();
    if (closed) for (const worker of all) if (!worker.isBusy) retire(worker);
    if (closed && all.size === 0) starter.close();
  }

  /** Calls `next` after a while, since PATIENCE may expire without an event. */
  function lookAgain(): void {
    if (timer || waiting.length === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      next();
    }, LOOK_AGAIN);
  }

  function keepSpares(): void {
    if (closed) return;
    for (let missing = sparesMissing(all, limits); missing > 0 && startOne(); missing--);
  }

  const sweep = setInterval(() => {
    const late = performance.now() - limits.idle * 1000;
    for (const worker of all) if (!worker.isBusy && worker.identity && worker.since < late) retire(worker);
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
    close() {
      closed = true;
      clearInterval(sweep);
      next();
    },
  };
}

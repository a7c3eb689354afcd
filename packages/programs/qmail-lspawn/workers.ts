import { closeSync } from "node:fs";
import { closeQuietly, type Descriptors } from "@qmail-mysql/native";
import { QLX_EXECHARD } from "@qmail-mysql/trouble";
import { netstringReader, toBuffer } from "@qmail-mysql/wire";
import { choose, type Limits, sparesMissing } from "./choose.ts";
import { OUTPUT_LIMIT } from "./report.ts";
import { BECOMING, encodeTask, type Task } from "./task.ts";
import { type Listener, type Outcome, openStarter, type Worker } from "./worker-process.ts";

export interface Workers {
  deliver(task: Task, message: number): Promise<Outcome>;
  /** Ends those that are idle, and the others after their delivery. */
  close(): void;
}

const REPLY_LIMIT = 65_536; // bytes of a worker's reply
const SWEEP = 5000; // milliseconds
const PATIENCE = 50; // milliseconds for which a delivery leaves a worker to others that wait for that very one
const LOOK_AGAIN = 10; // milliseconds

/** A delivery without a worker yet. */
interface Waiting {
  readonly task: Task;
  readonly identity: string;
  readonly message: number;
  readonly settle: (outcome: Outcome) => void;
  readonly since: number;
}

/** Processes that deliver, each for one uid and gid: started when needed, ended when idle. choose.ts decides. */
export function openWorkers(limits: Limits, descriptors: Descriptors, open = openStarter): Workers {
  const all = new Set<Worker>();
  let waiting: Waiting[] = [];
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const starter = open(descriptors, { output, silent: settle, ended: settle } satisfies Listener);

  function output(worker: Worker, text: string): void {
    if (worker.isLocal) {
      // One byte more than a report may have says that it was too long.
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
      if (worker.pid !== undefined && !worker.ended) process.kill(worker.pid, "SIGKILL"); // it is broken
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
    job?.({ ended: { status: Number(reply.slice(0, nul)) }, output: reply.slice(nul + 1) });
    next();
  }

  /** As spawn.c: a delivery is over when its process was reaped and nobody holds its output any more. */
  function settle(worker: Worker): void {
    if (worker.ended && !worker.isBusy) retire(worker);
    if (!worker.ended || !worker.isSilent) return;
    const { job, ended } = worker;
    worker.job = undefined;
    retire(worker);
    job?.(ended === "no fork" ? ended : { ended, output: worker.isLocal ? worker.output : "" });
    next();
  }

  /** Its end of the socket tells it to end. */
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

  function find({ identity, since }: Waiting): Worker | "wait" | "no fork" {
    const isPatient = since > performance.now() - PATIENCE;
    const wanted = new Set(isPatient ? waiting.map((other) => other.identity) : []);
    const choice = choose(all, identity, wanted, limits);
    if (choice === "wait") return choice;
    if ("use" in choice) return choice.use;
    if (choice.end) retire(choice.end);
    return startOne() ?? ([...all].some((worker) => worker.identity === identity) ? "wait" : "no fork");
  }

  /** False when there is no worker for it for now. */
  function begin(delivery: Waiting): boolean {
    const { task, identity, message, settle } = delivery;
    const packet = encodeTask(task);
    const worker = packet === undefined ? undefined : find(delivery);
    if (worker === "wait") return false;
    if (worker === "no fork" || packet === undefined || worker === undefined) {
      closeSync(message);
      // E2BIG is permanent to stock qmail-lspawn.
      settle(worker === "no fork" ? worker : { ended: { status: QLX_EXECHARD }, output: "" });
      return true;
    }
    worker.job = settle;
    worker.identity = identity;
    worker.since = performance.now();
    if (!descriptors.send(worker.tasks, toBuffer(packet), [message])) {
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

  /** When a delivery loses its patience no event tells. */
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

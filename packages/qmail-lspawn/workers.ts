import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { closeQuietly, type Descriptors, readPipe, self } from "@qmail-mysql/unix";
import { netstringReader, toBuffer } from "@qmail-mysql/wire";
import { encodeTask, type Task } from "./order.ts";
import { type Ended, OUTPUT_LIMIT } from "./report.ts";

/** How a delivery ended, and what was said meanwhile; "no fork" when there was no process for it. */
export type Outcome = { readonly ended: Ended; readonly output: string } | "no fork";

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

interface Worker {
  readonly child: ChildProcess;
  readonly tasks: number;
  /** "uid:gid" once it has become them. */
  identity: string | undefined;
  job: { readonly settle: (outcome: Outcome) => void } | undefined;
  /** It is qmail-local by now: what it says is the report. */
  isLocal: boolean;
  said: string;
  ended: Ended | undefined;
  silent: boolean;
  since: number;
}

const REPLY_LIMIT = 65_536; // bytes of a worker's reply
const SWEEP = 5000; // milliseconds

/** Processes that deliver, each for one uid and gid. Started when needed, ended when idle. */
export function openWorkers(limits: Limits, descriptors: Descriptors, fork = start): Workers {
  const all = new Set<Worker>();
  const waiting: { task: Task; message: number; settle: (outcome: Outcome) => void }[] = [];
  let closed = false;

  function start_(): Worker | undefined {
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
    if (worker.said.startsWith("0:,")) {
      worker.isLocal = true;
      const rest = worker.said.slice(3);
      worker.said = "";
      if (rest !== "") hear(worker, rest);
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
    worker.since = performance.now();
    job?.settle({ ended: { status: Number(reply.slice(0, nul)) }, output: reply.slice(nul + 1) });
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
    worker.job?.settle({ ended: worker.ended, output: worker.isLocal ? worker.said : "" });
    next();
  }

  function retire(worker: Worker): void {
    closeQuietly(worker.tasks);
    all.delete(worker);
  }

  const idle = () => [...all].filter(({ job }) => !job);

  /** One of its own, else a spare, else a new one, if need be in the place of the one that is idle longest. */
  function find(identity: string): Worker | "no fork" | undefined {
    let spare: Worker | undefined;
    let oldest: Worker | undefined;
    for (const worker of all) {
      if (worker.job || worker.ended) continue;
      if (worker.identity === identity) return worker;
      if (!worker.identity) spare = worker;
      else if (!oldest || worker.since < oldest.since) oldest = worker;
    }
    if (spare) return spare;
    if (all.size >= limits.workers) {
      if (!oldest) return undefined;
      retire(oldest);
    }
    return start_() ?? "no fork";
  }

  function begin(task: Task, message: number, settle: (outcome: Outcome) => void): boolean {
    const identity = `${task.uid}:${task.gid}`;
    const worker = find(identity);
    if (!worker) return false;
    const packet = encodeTask(task);
    if (worker === "no fork" || packet === undefined) {
      closeSync(message);
      settle("no fork");
      return true;
    }
    worker.job = { settle };
    worker.identity = identity;
    const sent = descriptors.send(worker.tasks, toBuffer(packet), message);
    if (!sent) {
      // It is gone, and nothing was begun.
      worker.job = undefined;
      retire(worker);
      return begin(task, message, settle);
    }
    closeSync(message);
    setImmediate(keepSpares);
    return true;
  }

  function next(): void {
    while (waiting.length > 0) {
      const [first] = waiting;
      if (!first || !begin(first.task, first.message, first.settle)) return;
      waiting.shift();
    }
    if (closed) for (const worker of idle()) retire(worker);
  }

  function keepSpares(): void {
    if (closed) return;
    let spares = 0;
    for (const { identity } of all) if (!identity) spares++;
    while (spares++ < limits.spares && all.size < limits.workers && start_());
  }

  const sweep = setInterval(() => {
    const late = performance.now() - limits.idle * 1000;
    for (const worker of idle()) if (worker.identity && worker.since < late) retire(worker);
  }, SWEEP);
  sweep.unref?.();

  keepSpares();
  return {
    deliver: (task, message) =>
      new Promise((resolve) => {
        if (waiting.length > 0 || !begin(task, message, resolve)) {
          waiting.push({ task, message, settle: resolve });
        }
      }),
    count: () => all.size,
    close() {
      closed = true;
      clearInterval(sweep);
      next();
    },
  };
}

interface Ears {
  said(worker: Worker, text: string): void;
  silent(worker: Worker): void;
  ended(worker: Worker, how: Ended): void;
}

function start(descriptors: Descriptors, ears: Ears): Worker {
  const [here, there] = descriptors.pair();
  const [output, theirs] = descriptors.pipe();
  const { file, args, argv0 } = self(["--worker", "3"]);
  let child: ChildProcess;
  try {
    child = spawn(file, args, { argv0, stdio: ["ignore", theirs, theirs, there], cwd: "/" });
  } catch (error) {
    closeSync(here);
    closeSync(output);
    throw error;
  } finally {
    closeSync(there);
    closeSync(theirs);
  }
  const worker: Worker = {
    child,
    tasks: here,
    identity: undefined,
    job: undefined,
    isLocal: false,
    said: "",
    ended: undefined,
    silent: false,
    since: performance.now(),
  };
  child.on("error", () => ears.ended(worker, { status: 120 }));
  child.on("exit", (code, signal) => {
    ears.ended(worker, signal === null ? { status: code ?? 112 } : { signal });
  });
  const silent = () => {
    worker.silent = true;
    ears.silent(worker);
  };
  readPipe(output, (text) => ears.said(worker, text)).then(silent, silent);
  return worker;
}

import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { self } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { netstring, netstringReader, nulEnded } from "@qmail-mysql/wire";
import { JOB_LIMIT } from "./hasher.ts";

export interface Hashers {
  /** Is `typed` what is stored? Throws Trouble when there is no telling, or not within the time. */
  verify(typed: string, stored: string, type: string, challenge: string): Promise<boolean>;
  waiting(): number;
  close(): void;
}

interface Job {
  readonly payload: string;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

interface Process {
  readonly child: ChildProcess;
  job: Job | undefined;
  timer: NodeJS.Timeout | undefined;
}

/** Up to `most` processes that hash, started when needed; at most `queue` jobs wait, each `ms` at work. */
export function openHashers(most: number, queue: number, ms: number): Hashers {
  const processes = new Set<Process>();
  const jobs: Job[] = [];
  let closed = false;

  function end(process: Process, why: string): void {
    clearTimeout(process.timer);
    processes.delete(process);
    process.child.kill("SIGKILL");
    process.job?.reject(new Trouble(`unable to verify the password: ${why}`));
    process.job = undefined;
    next();
  }

  function start(): Process {
    const { file, args, argv0 } = self(["hash"]);
    const child = spawn(file, args, { argv0, stdio: ["pipe", "pipe", "ignore"], env: {}, cwd: "/" });
    yieldTo(child.pid);
    const process: Process = { child, job: undefined, timer: undefined };
    const reader = netstringReader(JOB_LIMIT);
    child.on("error", () => end(process, "no process for it"));
    child.on("exit", () => processes.has(process) && end(process, "its process ended"));
    child.stdin?.on("error", () => {});
    child.stdout?.on("data", (chunk: Buffer) => {
      for (const answer of reader.push(chunk.toString("latin1"))) {
        const { job } = process;
        clearTimeout(process.timer);
        process.job = undefined;
        if (answer.startsWith("T")) job?.reject(new Error(answer.slice(1)));
        else job?.resolve(answer === "Y");
      }
      next();
    });
    processes.add(process);
    return process;
  }

  function next(): void {
    while (jobs.length > 0) {
      const free = [...processes].find(({ job }) => !job) ?? (processes.size < most ? start() : undefined);
      if (!free) break;
      const job = jobs.shift() as Job;
      free.job = job;
      free.timer = setTimeout(() => end(free, "it took too long"), ms);
      free.child.stdin?.write(netstring(job.payload), "latin1");
    }
    if (!closed) return;
    for (const idle of [...processes].filter(({ job }) => !job)) {
      processes.delete(idle);
      idle.child.stdin?.end();
    }
  }

  return {
    waiting: () => jobs.length,
    verify: (typed, stored, type, challenge) =>
      new Promise((resolve, reject) => {
        const payload = nulEnded([typed, stored, type, challenge]);
        if (payload.length > JOB_LIMIT) return reject(new Trouble("unable to verify the password: too long"));
        if (jobs.length >= queue) {
          return reject(new Trouble("unable to verify the password: too many logins at once"));
        }
        jobs.push({ payload, resolve, reject });
        next();
      }),
    close() {
      closed = true;
      next();
    },
  };
}

const NICE = 10;

/** A process that hashes takes what processor time the lookups leave. */
function yieldTo(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, NICE);
  } catch {
    // it is gone, or the system has no such thing
  }
}

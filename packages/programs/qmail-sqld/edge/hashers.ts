import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";
import { openFairQueue } from "@qmail-mysql/fairness";
import { self } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { netstring, netstringReader, nulEnded } from "@qmail-mysql/wire";
import { JOB_LIMIT } from "./hasher.ts";

/** The uid that asks and the login, between which the queue is shared fairly. */
export interface Requester {
  readonly owner: string;
  readonly login: string;
}

export interface Hashers {
  /** Does `typed` match what is stored? Throws Trouble if that cannot be decided in time. */
  verify(
    requester: Requester,
    typed: string,
    stored: string,
    type: string,
    challenge: string,
  ): Promise<boolean>;
  waiting(): number;
  close(): void;
}

interface Job {
  readonly payload: string;
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
  /** When the client stops waiting. */
  readonly end: number;
}

interface Hasher {
  readonly isFree: () => boolean;
  begin(job: Job): void;
  /** Ends the process if it is idle. */
  close(): void;
}

const trouble = (why: string) => new Trouble(`unable to verify the password: ${why}`);

/**
 * Up to `most` processes that compute hashes, started when needed. A job may take `ms` milliseconds; at most `queue`
 * jobs wait, each for at most `waitMs`.
 */
export function openHashers(most: number, queue: number, ms: number, waitMs: number): Hashers {
  const hashers = new Set<Hasher>();
  const jobs = openFairQueue<Job>(queue);
  let closed = false;

  /** The next job whose client still waits; rejects the expired ones before it. */
  function nextJob(): Job | undefined {
    for (;;) {
      const job = jobs.next();
      if (!job || job.end > performance.now()) return job;
      job.reject(trouble("too many logins at once"));
    }
  }

  function work(): void {
    while (jobs.size > 0) {
      const free = [...hashers].find(({ isFree }) => isFree()) ?? (hashers.size < most ? start() : undefined);
      if (!free) break;
      const job = nextJob();
      if (job) free.begin(job);
    }
    if (closed) for (const hasher of hashers) hasher.close();
  }

  function start(): Hasher {
    const hasher = startHasher(ms, work, () => {
      hashers.delete(hasher);
      work();
    });
    hashers.add(hasher);
    return hasher;
  }

  return {
    waiting: () => jobs.size,
    verify: ({ owner, login }, typed, stored, type, challenge) =>
      new Promise((resolve, reject) => {
        const payload = nulEnded([typed, stored, type, challenge]);
        if (payload.length > JOB_LIMIT) return reject(trouble("too long"));
        const job = { payload, resolve, reject, end: performance.now() + waitMs };
        jobs.push(owner, login, job)?.reject(trouble("too many logins at once"));
        work();
      }),
    close() {
      closed = true;
      work();
    },
  };
}

/** Starts a process that computes hashes. Calls `free` after each job, and `ended` when the process has ended. */
function startHasher(ms: number, free: () => void, ended: () => void): Hasher {
  const { file, args, argv0 } = self(["hash"]);
  const child: ChildProcess = spawn(file, args, {
    argv0,
    stdio: ["pipe", "pipe", "ignore"],
    env: {},
    cwd: "/",
  });
  yieldTo(child.pid);
  let job: Job | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const end = (why: string) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    child.kill("SIGKILL");
    job?.reject(trouble(why));
    ended();
  };
  const reader = netstringReader(JOB_LIMIT);
  child.on("error", () => end("no process for it"));
  child.on("exit", () => end("its process ended"));
  child.stdin?.on("error", () => {});
  child.stdout?.on("data", (chunk: Buffer) => {
    for (const answer of reader.push(chunk.toString("latin1"))) {
      clearTimeout(timer);
      if (answer.startsWith("T")) job?.reject(new Error(answer.slice(1)));
      else job?.resolve(answer === "Y");
      job = undefined;
    }
    free();
  });
  return {
    isFree: () => !job && !isOver,
    begin(next) {
      job = next;
      timer = setTimeout(() => end("it took too long"), ms);
      child.stdin?.write(netstring(next.payload), "latin1");
    },
    close: () => {
      if (!job) child.stdin?.end();
    },
  };
}

const NICE = 10;

/** Lowers the priority of a process that computes hashes, so that lookups come first. */
function yieldTo(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, NICE);
  } catch {
    // the process has ended, or the system has no priorities
  }
}

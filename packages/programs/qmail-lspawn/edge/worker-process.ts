import type { Ended, Forked } from "@qmail-mysql/fork-server";
import { netstringReader } from "@qmail-mysql/wire";
import type { Candidate } from "../choose.ts";
import { OUTPUT_LIMIT } from "../report.ts";
import { BECOMING, type Task } from "../task.ts";

const REPLY_LIMIT = 65_536; // bytes of a worker's reply

/** How a delivery ended, and its output. */
export interface Done {
  readonly ended: Ended;
  readonly output: string;
}

/** "no fork" if no process could be started. */
export type Outcome = Done | "no fork";

export interface Delivery {
  readonly task: Task;
  /** "uid:gid" */
  readonly identity: string;
  /** Kept open until it is settled: a worker that was never forked leaves the delivery to another. */
  readonly message: number;
  readonly settle: (outcome: Outcome) => void;
  readonly since: number;
}

/** A worker process, as seen by its parent. */
export class Worker implements Candidate, Forked {
  identity: string | undefined;
  job: Delivery | undefined;
  /** It has executed qmail-local: its output is the report. */
  isLocal = false;
  output = "";
  /** How its process ended; "never" if it was not forked, which another may be; "no fork" if none can be started. */
  ended: Ended | "never" | "no fork" | undefined;
  /** No process has its output open any more. */
  isSilent = false;
  made = 0;
  /** When its delivery began, or when it became idle. */
  since = performance.now();
  readonly asked = performance.now();
  pid: number | undefined;
  readonly tasks: number;
  constructor(tasks: number) {
    this.tasks = tasks;
  }
  get isBusy(): boolean {
    return this.job !== undefined;
  }
  get isOver(): boolean {
    return this.ended !== undefined || this.isSilent;
  }

  begin(delivery: Delivery): void {
    this.job = delivery;
    this.identity = delivery.identity;
    this.since = performance.now();
  }

  /** Takes its delivery from it. */
  release(): Delivery | undefined {
    const { job } = this;
    this.job = undefined;
    return job;
  }

  /** Takes a piece of its output; returns the reply that it completes. */
  take(text: string): Done | "invalid" | undefined {
    if (this.isLocal) {
      // One byte above the limit is kept, so that the report shows that it was too long.
      if (this.output.length <= OUTPUT_LIMIT) this.output += text.slice(0, OUTPUT_LIMIT + 1);
      return undefined;
    }
    this.output += text;
    if (this.output.startsWith(BECOMING)) {
      const rest = this.output.slice(BECOMING.length);
      this.isLocal = true;
      this.output = "";
      return this.take(rest);
    }
    let reply: string | undefined;
    try {
      [reply] = netstringReader(REPLY_LIMIT).push(this.output);
    } catch {
      return "invalid";
    }
    if (reply === undefined) return undefined;
    this.output = "";
    const nul = reply.indexOf("\0");
    return { ended: { status: Number(reply.slice(0, nul)) }, output: reply.slice(nul + 1) };
  }

  kill(): void {
    if (this.pid !== undefined && !this.ended) process.kill(this.pid, "SIGKILL");
  }
}

/** Callbacks for the events of a worker. */
export interface Listener {
  output(worker: Worker, text: string): void;
  silent(worker: Worker): void;
  ended(worker: Worker): void;
}

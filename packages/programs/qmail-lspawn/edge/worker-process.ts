import { closeSync } from "node:fs";
import type { Descriptors } from "@qmail-mysql/native";
import type { Candidate } from "../choose.ts";
import type { Ended } from "../report.ts";
import type { Task } from "../task.ts";

/** How a delivery ended, and its output; "no fork" if no process could be started. */
export type Outcome = { readonly ended: Ended; readonly output: string } | "no fork";

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
export class Worker implements Candidate {
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
}

/** Callbacks for the events of a worker. */
export interface Listener {
  output(worker: Worker, text: string): void;
  silent(worker: Worker): void;
  ended(worker: Worker): void;
}

/** A socket pair and a pipe to a process, our end first. Leaves no descriptor open if it throws. */
export function channels(descriptors: Descriptors) {
  const pair = descriptors.pair();
  try {
    return [pair, descriptors.pipe()] as const;
  } catch (error) {
    pair.forEach(closeSync);
    throw error;
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Descriptors } from "@qmail-mysql/native";
import { readPipe, self } from "@qmail-mysql/process";
import type { Ended } from "./report.ts";

/** How a delivery ended, and what was said meanwhile; "no fork" when there was no process for it. */
export type Outcome = { readonly ended: Ended; readonly output: string } | "no fork";

/** A process that delivers, as its parent knows it. */
export interface Worker {
  readonly child: ChildProcess;
  readonly tasks: number;
  /** "uid:gid" once it has become them. */
  identity: string | undefined;
  job: ((outcome: Outcome) => void) | undefined;
  /** It is qmail-local by now: what it says is the report. */
  isLocal: boolean;
  said: string;
  ended: Ended | undefined;
  silent: boolean;
  /** Deliveries it has made. */
  made: number;
  /** When its delivery began, or when it became idle. */
  since: number;
}

/** Who is told what becomes of it. */
export interface Ears {
  said(worker: Worker, text: string): void;
  silent(worker: Worker): void;
  ended(worker: Worker, how: Ended): void;
}

export function startWorker(descriptors: Descriptors, ears: Ears): Worker {
  const [[here, there], [output, theirs]] = channels(descriptors);
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
    made: 0,
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

/** Its tasks' socket and its output's pipe, each with our end first. Leaves no descriptor behind when it throws. */
function channels(descriptors: Descriptors) {
  const pair = descriptors.pair();
  try {
    return [pair, descriptors.pipe()] as const;
  } catch (error) {
    pair.forEach(closeSync);
    throw error;
  }
}

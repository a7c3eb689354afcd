import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { closeQuietly, type Descriptors } from "@qmail-mysql/native";
import { readPipe, self } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import type { Candidate } from "./choose.ts";
import type { Ended } from "./report.ts";

/** How a delivery ended, and its output; "no fork" if no process could be started. */
export type Outcome = { readonly ended: Ended; readonly output: string } | "no fork";

/** A worker process, as seen by its parent. */
export class Worker implements Candidate {
  identity: string | undefined;
  job: ((outcome: Outcome) => void) | undefined;
  /** It has executed qmail-local: its output is the report. */
  isLocal = false;
  output = "";
  /** How its process ended; "no fork" if it was not started. */
  ended: Ended | "no fork" | undefined;
  /** No process has its output open any more. */
  isSilent = false;
  made = 0;
  /** When its delivery began, or when it became idle. */
  since = performance.now();
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

/** Starts workers through the process that forks them. */
export interface Starter {
  /** Throws if no descriptor or process is available. */
  start(): Worker;
  close(): void;
}

interface Server {
  readonly requests: number;
  /** Workers by name, until their end is reported. */
  readonly workers: Map<string, Worker>;
}

export function openStarter(descriptors: Descriptors, listener: Listener): Starter {
  let server: Server | undefined;
  let names = 0;

  function startServer(): Server {
    const [[requests, theirs], [answers, theirAnswers]] = channels(descriptors);
    try {
      const { file, args, argv0 } = self(["--fork-server"]);
      const stdio = ["ignore", theirAnswers, "ignore", theirs] as const;
      spawn(file, args, { argv0, stdio: [...stdio], cwd: "/" }).on("error", () => {});
    } catch (error) {
      closeSync(requests);
      closeSync(answers);
      throw error;
    } finally {
      closeSync(theirs);
      closeSync(theirAnswers);
    }
    const started: Server = { requests, workers: new Map() };
    const lost = () => {
      if (server === started) server = undefined;
      closeQuietly(requests);
      // The workers continue, but their end is not reported any more.
      for (const name of started.workers.keys()) end(started, name, { signal: "SIGKILL" });
    };
    readPipe(
      answers,
      lines((line) => take(started, line)),
    ).then(lost, lost);
    return started;
  }

  function take(from: Server, line: string): void {
    const [what, subject = "", value] = [line[0], ...line.slice(1).split(" ")];
    if (what === "+") {
      const worker = from.workers.get(subject);
      if (worker) worker.pid = Number(value);
    } else if (what === "-") end(from, subject, "no fork");
    else {
      const [name] = [...from.workers].find(([, { pid }]) => pid === Number(subject)) ?? [""];
      end(from, name, what === "=" ? { status: Number(value) } : { signal: `${value}` });
    }
  }

  function end({ workers }: Server, name: string, how: Ended | "no fork"): void {
    const worker = workers.get(name);
    if (!worker || !workers.delete(name)) return;
    worker.ended = how;
    listener.ended(worker);
  }

  function request(name: string, fds: readonly number[]): Server {
    for (let tries = 0; ; tries++) {
      server ??= startServer();
      if (descriptors.send(server.requests, toBuffer(name), fds)) return server;
      server = undefined; // it has ended
      if (tries > 0) throw new Trouble("unable to start a worker");
    }
  }

  return {
    start() {
      const [[tasks, theirTasks], [output, theirOutput]] = channels(descriptors);
      const worker = new Worker(tasks);
      try {
        const name = `${++names}`;
        request(name, [theirTasks, theirOutput]).workers.set(name, worker);
      } catch (error) {
        closeSync(tasks);
        closeSync(output);
        throw error;
      } finally {
        closeSync(theirTasks);
        closeSync(theirOutput);
      }
      const silent = () => {
        worker.isSilent = true;
        listener.silent(worker);
      };
      readPipe(output, (text) => listener.output(worker, text)).then(silent, silent);
      return worker;
    },
    close() {
      if (server) closeQuietly(server.requests);
      server = undefined;
    },
  };
}

/** A socket pair and a pipe to a process, our end first. Leaves no descriptor open if it throws. */
function channels(descriptors: Descriptors) {
  const pair = descriptors.pair();
  try {
    return [pair, descriptors.pipe()] as const;
  } catch (error) {
    pair.forEach(closeSync);
    throw error;
  }
}

/** Calls `each` with each complete line of a text that arrives in pieces. */
function lines(each: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const whole = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    whole.forEach(each);
  };
}

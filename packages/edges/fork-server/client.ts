import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { closeQuietly, type Descriptors } from "@qmail-mysql/native";
import { readPipe, self } from "@qmail-mysql/process";
import { toBuffer } from "@qmail-mysql/wire";
import type { Ended, Forked } from "./forked.ts";

/** Callbacks for the workers. */
export interface Events<W extends Forked> {
  /** Its pid is known. */
  readonly started: (worker: W) => void;
  readonly ended: (worker: W) => void;
}

/** The fork server, as seen by its parent: started at the first request, and again after it has ended. */
export interface ForkServerClient<W extends Forked> {
  /** Requests the process of a worker. False if no fork server takes the request. */
  request(worker: W, fds: readonly number[]): boolean;
  close(): void;
}

interface Server<W> {
  readonly requests: number;
  /** Workers by name, until their end is reported. */
  readonly workers: Map<string, W>;
  /** It has forked a worker. */
  works: boolean;
  kill(): void;
}

const SILENCE = 5000; // milliseconds without an answer to a request after which the fork server is killed
const CHECK_INTERVAL = 1000; // milliseconds between checks for it

export function forkServerClient<W extends Forked>(
  options: readonly string[],
  descriptors: Descriptors,
  events: Events<W>,
  failed: (why: string) => void,
): ForkServerClient<W> {
  let server: Server<W> | undefined;
  let names = 0;

  function startServer(): Server<W> {
    const [[requests, theirs], [answers, theirAnswers]] = channels(descriptors);
    const workers = new Map<string, W>();
    let started: Server<W>;
    try {
      const { file, args, argv0 } = self(["--fork-server", ...options]);
      const stdio = ["ignore", theirAnswers, "ignore", theirs] as const; // a worker gets its output with its request
      const child = spawn(file, args, { argv0, stdio: [...stdio], cwd: "/" }).on("error", () => {});
      started = { requests, workers, works: false, kill: () => void child.kill("SIGKILL") };
    } catch (error) {
      closeSync(requests);
      closeSync(answers);
      throw error;
    } finally {
      closeSync(theirs);
      closeSync(theirAnswers);
    }
    const timer = setInterval(() => {
      const late = performance.now() - SILENCE;
      if ([...workers.values()].some(({ pid, asked }) => pid === undefined && asked < late)) started.kill();
    }, CHECK_INTERVAL);
    timer.unref?.();
    const lost = () => {
      clearInterval(timer);
      closeQuietly(requests);
      if (server === started) {
        server = undefined;
        if (!started.works) failed("the fork server does not start");
      }
      // The workers that were forked continue, but their end is not reported any more.
      for (const [name, { pid }] of workers) end(started, name, pid === undefined ? "never" : "unknown");
    };
    readPipe(
      answers,
      lines((line) => take(started, line)),
    ).then(lost, lost);
    return started;
  }

  function take(from: Server<W>, line: string): void {
    const [what, subject = "", value] = [line[0], ...line.slice(1).split(" ")];
    if (what === "+") {
      from.works = true;
      const worker = from.workers.get(subject);
      if (!worker) return;
      worker.pid = Number(value);
      events.started(worker);
    } else if (what === "-") {
      failed("the fork server cannot fork");
      end(from, subject, "never");
    } else {
      const [name] = [...from.workers].find(([, { pid }]) => pid === Number(subject)) ?? [""];
      end(from, name, what === "=" ? { status: Number(value) } : { signal: `${value}` });
    }
  }

  function end({ workers }: Server<W>, name: string, how: Ended | "never"): void {
    const worker = workers.get(name);
    if (!worker || !workers.delete(name)) return;
    worker.ended = how;
    events.ended(worker);
  }

  return {
    request(worker, fds) {
      const name = `${++names}`;
      for (let tries = 0; tries < 2; tries++) {
        server ??= startServer();
        if (descriptors.send(server.requests, toBuffer(name), fds)) {
          server.workers.set(name, worker);
          return true;
        }
        server = undefined; // it has ended, which its closed pipe reports too, or its socket is full
      }
      failed("the fork server takes no requests");
      return false;
    },
    close() {
      if (server) closeQuietly(server.requests);
      server = undefined;
    },
  };
}

/** A socket pair and a pipe to another process, our end first. Leaves no descriptor open if it throws. */
export function channels(descriptors: Descriptors) {
  const pair = descriptors.pair();
  try {
    return [pair, descriptors.pipe()] as const;
  } catch (error) {
    pair.forEach(closeSync);
    throw error;
  }
}

/** Splits a stream into lines. */
function lines(each: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const whole = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    whole.forEach(each);
  };
}

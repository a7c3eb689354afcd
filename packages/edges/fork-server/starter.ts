import { spawn } from "node:child_process";
import type { Descriptors } from "@qmail-mysql/native";
import { say, self } from "@qmail-mysql/process";
import { type Events, forkServerClient } from "./client.ts";
import type { Ended, Forked } from "./forked.ts";

export interface Starter<W extends Forked> {
  /** Starts a worker with its ends of its socket for tasks and of its output. Throws if no process is available. */
  start(worker: W, tasks: number, output: number): void;
  close(): void;
}

export interface StarterParts<W extends Forked> extends Events<W> {
  /** Begins its warnings. */
  readonly program: string;
  /** Follow --fork-server and --worker. */
  readonly args?: readonly string[];
  readonly descriptors: Descriptors;
}

const ALONE = 60_000; // milliseconds without the fork server after it failed

/**
 * Starts workers: forked by the fork server, or executed while that fails, which takes more memory and time. The program
 * has the arguments --fork-server and --worker for them.
 */
export function openStarter<W extends Forked>(parts: StarterParts<W>): Starter<W> {
  const { program, args: options = [], descriptors, started, ended } = parts;
  let aloneUntil = 0;
  let isWarned = false;
  const server = forkServerClient<W>(options, descriptors, parts, (why) => {
    aloneUntil = performance.now() + ALONE;
    if (!isWarned) say(`${program}: warning: unable to fork workers: ${why}: starting each by itself`);
    isWarned = true;
  });

  function alone(worker: W, tasks: number, output: number): void {
    const { file, args, argv0 } = self(["--worker", ...options]);
    const child = spawn(file, args, { argv0, stdio: ["ignore", output, output, tasks], cwd: "/" });
    const over = (how: Ended | "no fork") => {
      worker.ended = how;
      ended(worker);
    };
    worker.pid = child.pid;
    child.on("error", () => over("no fork"));
    child.on("exit", (status, signal) => over(signal === null ? { status: status ?? 0 } : { signal }));
    if (child.pid !== undefined) started(worker);
  }

  return {
    start(worker, tasks, output) {
      const isAlone = performance.now() < aloneUntil || !server.request(worker, [tasks, output]);
      if (isAlone) alone(worker, tasks, output);
    },
    close: server.close,
  };
}

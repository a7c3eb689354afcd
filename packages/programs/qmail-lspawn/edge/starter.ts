import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { Descriptors } from "@qmail-mysql/native";
import { readPipe, say, self } from "@qmail-mysql/process";
import type { Ended } from "../report.ts";
import { forkServerClient } from "./fork-server-client.ts";
import { channels, type Listener, Worker } from "./worker-process.ts";

export interface Starter {
  /** Throws if no descriptor or process is available. */
  start(): Worker;
  close(): void;
}

const ALONE = 60_000; // milliseconds without the fork server after it failed

/**
 * Starts workers: forked by the fork server, or executed while that fails, which takes more memory and time.
 */
export function openStarter(descriptors: Descriptors, listener: Listener): Starter {
  let aloneUntil = 0;
  let isWarned = false;
  const server = forkServerClient(descriptors, listener, (why) => {
    aloneUntil = performance.now() + ALONE;
    if (!isWarned) say(`qmail-lspawn: warning: unable to fork workers: ${why}: starting each by itself`);
    isWarned = true;
  });

  function alone(worker: Worker, tasks: number, output: number): void {
    const { file, args, argv0 } = self(["--worker"]);
    const child = spawn(file, args, { argv0, stdio: ["ignore", output, output, tasks], cwd: "/" });
    const ended = (how: Ended | "no fork") => {
      worker.ended = how;
      listener.ended(worker);
    };
    worker.pid = child.pid;
    child.on("error", () => ended("no fork"));
    child.on("exit", (status, signal) => ended(signal === null ? { status: status ?? 0 } : { signal }));
  }

  return {
    start() {
      const [[tasks, theirTasks], [output, theirOutput]] = channels(descriptors);
      const worker = new Worker(tasks);
      try {
        const isAlone = performance.now() < aloneUntil || !server.request(worker, [theirTasks, theirOutput]);
        if (isAlone) alone(worker, theirTasks, theirOutput);
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
    close: server.close,
  };
}

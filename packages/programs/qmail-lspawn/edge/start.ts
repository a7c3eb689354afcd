import { closeSync } from "node:fs";
import { channels, openStarter, type Starter } from "@qmail-mysql/fork-server";
import type { Descriptors } from "@qmail-mysql/native";
import { readPipe } from "@qmail-mysql/process";
import { type Listener, Worker } from "./worker-process.ts";

/** Starts workers, and reads their output. */
export class WorkerStarter {
  readonly #descriptors: Descriptors;
  readonly #listener: Listener;
  readonly #starter: Starter<Worker>;

  constructor(descriptors: Descriptors, listener: Listener) {
    this.#descriptors = descriptors;
    this.#listener = listener;
    const ended = (worker: Worker) => listener.ended(worker);
    this.#starter = openStarter({ program: "qmail-lspawn", descriptors, started: () => {}, ended });
  }

  /** Throws if no descriptor or process is available. */
  start(): Worker {
    const [[tasks, theirTasks], [output, theirOutput]] = channels(this.#descriptors);
    const worker = new Worker(tasks);
    try {
      this.#starter.start(worker, theirTasks, theirOutput);
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
      this.#listener.silent(worker);
    };
    readPipe(output, (text) => this.#listener.output(worker, text)).then(silent, silent);
    return worker;
  }

  close(): void {
    this.#starter.close();
  }
}

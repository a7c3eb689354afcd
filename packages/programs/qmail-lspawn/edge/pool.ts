import { closeQuietly } from "@qmail-mysql/native";
import { choose, type Limits, sparesMissing } from "../choose.ts";
import type { WorkerStarter } from "./start.ts";
import type { Worker } from "./worker-process.ts";

const SWEEP = 5000; // milliseconds between checks for idle workers

/** The workers, each for one uid and gid: started when needed, ended when idle. choose.ts decides which. */
export class Pool {
  readonly #limits: Limits;
  readonly #starter: WorkerStarter;
  readonly #workers = new Set<Worker>();
  readonly #sweep: NodeJS.Timeout;
  #isClosed = false;

  constructor(limits: Limits, starter: WorkerStarter) {
    this.#limits = limits;
    this.#starter = starter;
    this.#sweep = setInterval(() => this.#endIdle(), SWEEP);
    this.#sweep.unref?.();
  }

  /** A worker for a delivery to `identity`; "no fork" if none can be started and none will become idle for it. */
  find(identity: string, wanted: ReadonlySet<string>): Worker | "wait" | "no fork" {
    const choice = choose(this.#workers, identity, wanted, this.#limits);
    if (choice === "wait") return choice;
    if ("use" in choice) return choice.use;
    if (choice.end) this.retire(choice.end);
    const hasOwn = () => [...this.#workers].some((worker) => worker.identity === identity);
    return this.#start() ?? (hasOwn() ? "wait" : "no fork");
  }

  /** Starts the spare workers that are missing. */
  keepSpares(): void {
    if (this.#isClosed) return;
    for (let missing = sparesMissing(this.#workers, this.#limits); missing > 0 && this.#start(); missing--);
  }

  /** Closes the socket of a worker, upon which it ends. */
  retire(worker: Worker): void {
    if (this.#workers.delete(worker)) closeQuietly(worker.tasks);
  }

  /** Ends the workers that have no delivery; is called again after each delivery of the others. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    for (const worker of this.#workers) if (!worker.isBusy) this.retire(worker);
    if (this.#workers.size === 0) this.#starter.close();
  }

  #start(): Worker | undefined {
    try {
      const worker = this.#starter.start();
      this.#workers.add(worker);
      return worker;
    } catch {
      return undefined;
    }
  }

  #endIdle(): void {
    const late = performance.now() - this.#limits.idle * 1000;
    for (const worker of this.#workers) {
      if (!worker.isBusy && worker.identity && worker.since < late) this.retire(worker);
    }
  }
}

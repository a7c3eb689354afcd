import { closeSync } from "node:fs";
import type { Descriptors } from "@qmail-mysql/native";
import { QLX_EXECHARD } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import type { Limits } from "../choose.ts";
import { encodeTask, type Task } from "../task.ts";
import { Pool } from "./pool.ts";
import { WorkerStarter } from "./start.ts";
import type { Delivery, Outcome, Worker } from "./worker-process.ts";

export interface Workers {
  deliver(task: Task, message: number): Promise<Outcome>;
  /** Ends idle workers at once, the others after their delivery. */
  close(): void;
}

const PATIENCE = 50; // milliseconds for which a delivery does not replace a worker that others wait for
const RETRY_INTERVAL = 10; // milliseconds until waiting deliveries are tried again

export function openWorkers(limits: Limits, descriptors: Descriptors): Workers {
  return new Deliveries(limits, descriptors);
}

/** Passes each delivery to a worker of the pool, at once or when there is one, and returns its outcome. */
class Deliveries implements Workers {
  readonly #descriptors: Descriptors;
  readonly #pool: Pool;
  #waiting: Delivery[] = [];
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Limits, descriptors: Descriptors) {
    this.#descriptors = descriptors;
    const starter = new WorkerStarter(descriptors, {
      output: (worker, text) => this.#output(worker, text),
      silent: (worker) => this.#stopped(worker),
      ended: (worker) => this.#stopped(worker),
    });
    this.#pool = new Pool(limits, starter);
    this.#pool.keepSpares();
  }

  deliver(task: Task, message: number): Promise<Outcome> {
    return new Promise((settle) => {
      const identity = `${task.uid}:${task.gid}`;
      const delivery = { task, identity, message, settle, since: performance.now() };
      const before = this.#waiting.some((other) => other.identity === identity);
      if (!before && this.#begin(delivery)) return;
      this.#waiting.push(delivery);
      this.#lookAgain();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#next();
  }

  /** Begins a delivery; false if it has to wait for a worker. */
  #begin(delivery: Delivery): boolean {
    const packet = encodeTask(delivery.task);
    if (packet === undefined) {
      // E2BIG is a permanent error in stock qmail-lspawn.
      over(delivery, { ended: { status: QLX_EXECHARD }, output: "" });
      return true;
    }
    const worker = this.#find(delivery);
    if (worker === "wait") return false;
    if (worker === "no fork") {
      over(delivery, worker);
      return true;
    }
    worker.begin(delivery);
    if (!this.#descriptors.send(worker.tasks, toBuffer(packet), [delivery.message])) {
      // The worker has ended before the delivery began.
      worker.release();
      this.#pool.retire(worker);
      return this.#begin(delivery);
    }
    setImmediate(() => this.#pool.keepSpares());
    return true;
  }

  #find({ identity, since }: Delivery): Worker | "wait" | "no fork" {
    const isPatient = since > performance.now() - PATIENCE;
    return this.#pool.find(identity, new Set(isPatient ? this.#waiting.map((other) => other.identity) : []));
  }

  /** Begins waiting deliveries, the oldest first; of each identity at most one that cannot begin is tried. */
  #next(): void {
    const stuck = new Set<string>();
    if (this.#waiting.length > 0) {
      this.#waiting = this.#waiting.filter((delivery) => {
        if (stuck.has(delivery.identity)) return true;
        if (this.#begin(delivery)) return false;
        stuck.add(delivery.identity);
        return true;
      });
    }
    this.#lookAgain();
    if (this.#isClosed) this.#pool.close();
  }

  /** Calls `#next` after a while, since PATIENCE may expire without an event. */
  #lookAgain(): void {
    if (this.#timer || this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#next();
    }, RETRY_INTERVAL);
  }

  #output(worker: Worker, text: string): void {
    const reply = worker.take(text);
    if (reply === undefined) return;
    if (reply === "invalid") {
      worker.kill();
      return;
    }
    const delivery = worker.release();
    worker.made++;
    worker.since = performance.now();
    if (worker.isOver) this.#pool.retire(worker);
    if (delivery) over(delivery, reply);
    this.#next();
  }

  /** As in spawn.c, a delivery is over when its process was reaped and no process has its output open. */
  #stopped(worker: Worker): void {
    const { ended, isBusy, isLocal, isSilent } = worker;
    if (ended && !isBusy) this.#pool.retire(worker);
    if (!ended || !isSilent) return;
    const delivery = worker.release();
    this.#pool.retire(worker);
    if (delivery && ended === "never" && !isLocal) this.#waiting.unshift(delivery);
    else if (delivery) {
      const how = ended === "never" ? { signal: "SIGKILL" } : ended;
      over(delivery, how === "no fork" ? how : { ended: how, output: isLocal ? worker.output : "" });
    }
    this.#next();
  }
}

function over({ message, settle }: Delivery, outcome: Outcome): void {
  closeSync(message);
  settle(outcome);
}

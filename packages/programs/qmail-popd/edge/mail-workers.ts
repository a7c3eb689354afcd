import { closeSync } from "node:fs";
import { type Forked, openStarter, type Starter } from "@qmail-mysql/fork-server";
import type { Descriptors } from "@qmail-mysql/native";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { toBuffer } from "@qmail-mysql/wire";
import { type Candidate, choose, type Limits, sparesMissing } from "../choose.ts";
import { decodeOver, encodeSession, PACKET_LIMIT, type Session } from "../packets.ts";

const SWEEP = 5000; // milliseconds between checks for idle workers
const LOG = 2; // the descriptor, which the workers share

interface Waiting {
  readonly session: Session;
  readonly fd: number;
}

class Worker implements Candidate, Forked {
  readonly socket: number;
  readonly asked = performance.now();
  pid: number | undefined;
  ended: Forked["ended"];
  identity: string | undefined;
  /** Its sessions, and what is to be called when each has ended. */
  readonly sessions = new Map<number, () => void>();
  /** Sessions that it gets when it has been started. */
  waiting: Waiting[] = [];
  /** When it became idle. */
  since = performance.now();
  unwatch: () => void = () => {};

  constructor(socket: number) {
    this.socket = socket;
  }

  get load(): number {
    return this.sessions.size;
  }
}

/** The workers of the mailboxes, each for one uid and gid: started when needed, ended when idle. */
export class MailWorkers {
  readonly #limits: Limits;
  readonly #descriptors: Descriptors;
  readonly #starter: Starter<Worker>;
  readonly #workers = new Set<Worker>();
  #serial = 0;

  constructor(limits: Limits, descriptors: Descriptors, maildir: string) {
    this.#limits = limits;
    this.#descriptors = descriptors;
    this.#starter = openStarter<Worker>({
      program: "qmail-popd",
      args: [maildir],
      descriptors,
      started: (worker) => this.#started(worker),
      ended: (worker) => this.#ended(worker),
    });
    setInterval(() => this.#endIdle(), SWEEP).unref();
    this.#keepSpares();
  }

  /**
   * Lets a worker serve a session; takes its descriptor. False if there is none for it. `over` is called when the session
   * has ended.
   */
  serve(session: Omit<Session, "id">, fd: number, over: () => void): boolean {
    const identity = `${session.uid}:${session.gid}`;
    const worker = this.#find(identity);
    if (!worker) return false;
    worker.identity = identity;
    const id = ++this.#serial;
    worker.sessions.set(id, over);
    const waiting = { session: { ...session, id }, fd };
    if (worker.pid === undefined) worker.waiting.push(waiting);
    else if (!this.#send(worker, waiting)) {
      worker.sessions.delete(id);
      return false;
    }
    setImmediate(() => this.#keepSpares());
    return true;
  }

  /** Ends the workers without sessions. */
  close(): void {
    for (const worker of this.#workers) if (worker.load === 0) this.#retire(worker);
    this.#starter.close();
  }

  #find(identity: string): Worker | undefined {
    const choice = choose(this.#workers, identity, this.#limits);
    if (choice === "full") return undefined;
    if ("use" in choice) return choice.use;
    if (choice.end) this.#retire(choice.end);
    return this.#start();
  }

  #send(worker: Worker, { session, fd }: Waiting): boolean {
    const isSent = this.#descriptors.send(worker.socket, toBuffer(encodeSession(session)), [fd]);
    if (isSent) closeSync(fd);
    return isSent;
  }

  #start(): Worker | undefined {
    const [socket, theirs] = this.#descriptors.pair();
    const worker = new Worker(socket);
    try {
      this.#starter.start(worker, theirs, LOG);
    } catch {
      closeSync(socket);
      return undefined;
    } finally {
      closeSync(theirs);
    }
    this.#workers.add(worker);
    const packet = Buffer.alloc(PACKET_LIMIT);
    const take = inTurns(() => {
      if (!this.#workers.has(worker)) return false;
      const got = this.#descriptors.poll(socket, packet);
      if (got === "none") return false;
      if (!got) {
        if (worker.pid !== undefined) this.#drop(worker);
        return false;
      }
      got.fds.forEach(closeSync);
      for (const id of decodeOver(packet.toString("latin1", 0, got.length)) ?? []) this.#over(worker, id);
      return true;
    });
    worker.unwatch = whenReady(socket, take);
    return worker;
  }

  #over(worker: Worker, id: number): void {
    const over = worker.sessions.get(id);
    worker.sessions.delete(id);
    if (worker.load === 0) worker.since = performance.now();
    over?.();
  }

  #started(worker: Worker): void {
    for (const each of worker.waiting.splice(0)) {
      if (this.#send(worker, each)) continue;
      closeSync(each.fd);
      this.#over(worker, each.session.id);
    }
  }

  /** One that was never forked leaves its sessions to another. */
  #ended(worker: Worker): void {
    const waiting = worker.waiting.splice(0);
    const calls = waiting.map(({ session }) => worker.sessions.get(session.id));
    for (const { session } of waiting) worker.sessions.delete(session.id);
    this.#drop(worker);
    for (const [i, { session, fd }] of waiting.entries()) {
      const over = calls[i] ?? (() => {});
      if (worker.ended === "never" && this.serve(session, fd, over)) continue;
      closeSync(fd);
      over();
    }
  }

  /** It has ended, and its sessions with it. */
  #drop(worker: Worker): void {
    this.#retire(worker);
    for (const id of [...worker.sessions.keys()]) this.#over(worker, id);
  }

  /** Closes its socket, upon which it ends. */
  #retire(worker: Worker): void {
    if (!this.#workers.delete(worker)) return;
    worker.unwatch();
    closeSync(worker.socket);
  }

  #keepSpares(): void {
    for (let missing = sparesMissing(this.#workers, this.#limits); missing > 0 && this.#start(); missing--);
  }

  #endIdle(): void {
    const late = performance.now() - this.#limits.idle * 1000;
    for (const worker of this.#workers) {
      if (worker.load === 0 && worker.identity !== undefined && worker.since < late) this.#retire(worker);
    }
  }
}

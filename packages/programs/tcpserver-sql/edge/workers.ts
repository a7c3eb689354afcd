import { closeSync } from "node:fs";
import {
  decodeEnds,
  encodeConnection,
  encodeMonitor,
  HEARTBEAT,
  isReady,
  PACKET_LIMIT,
  WORKER_PROTO,
} from "@qmail-mysql/handover";
import { type Descriptors, openDescriptors } from "@qmail-mysql/native";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { reason } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import type { Monitor } from "./monitor.ts";
import type { Programs, TcpSystem } from "./tcp-system.ts";

const PAUSE = 1000; // milliseconds at least from one start of a worker to the next in its place
const RETRY = 10; // milliseconds until a connection is offered again to workers whose sockets are full
const PATIENCE = 5000; // milliseconds until it is dropped
// Heartbeats that a worker may omit: until it gets no more connections, and until it is killed.
const LATE = 2;
const HUNG = 7;

interface Worker {
  readonly socket: number;
  readonly pid: number;
  readonly sessions: Set<number>;
  isReady: boolean;
  /** Certificates that its socket has not taken yet. */
  unsent: readonly string[];
  /** The number of the last session that it was given. */
  lastUsed: number;
  /** Heartbeats since its last report. */
  silent: number;
  /** Takes what it has reported. */
  read(): void;
  stop(): void;
}

export interface WorkerPrograms extends Programs {
  /** Gives all workers, those of the future as well, these certificates: encodeCertificate. */
  certify(packets: readonly string[]): void;
}

/**
 * Hands connections to `count` processes of `program` instead of starting one for each. A worker that ends is replaced,
 * and its sessions end with its status. Throws an error with an errno if none can be started.
 */
export function openWorkers(parts: WorkerParts): WorkerPrograms {
  return new Workers(parts);
}

export interface WorkerParts {
  readonly system: TcpSystem;
  readonly program: readonly string[];
  readonly count: number;
  readonly base: readonly string[];
  /** Each worker gets a socket to it. */
  readonly monitor: Pick<Monitor, "connect"> | undefined;
  readonly say: (line: string) => void;
}

class Workers implements WorkerPrograms {
  readonly #workers = new Map<number, Worker>(); // by pid
  readonly #descriptors: Descriptors = openDescriptors();
  readonly #start: () => Worker;
  readonly #say: (line: string) => void;
  #certificates: readonly string[] = [];
  #serial = 0;
  #ended: (name: string, status: number) => void = () => {};
  #ready = () => {};

  constructor({ system, program, count, base, monitor, say }: WorkerParts) {
    const spawn = system.spawner(program);
    const env = [...base, `PROTO=${WORKER_PROTO}`];
    this.#say = say;
    this.#start = () => {
      const [socket, theirs] = this.#descriptors.pair();
      try {
        if (monitor) this.#introduce(socket, monitor.connect());
        return this.#watch(socket, spawn(env, theirs));
      } catch (error) {
        closeSync(socket);
        throw error;
      } finally {
        closeSync(theirs);
      }
    };
    system.watchChildren((pid, status) => this.#over(pid, status));
    for (let i = 0; i < count; i++) this.#start();
    // Counted, not timed: while this process is stopped no worker becomes late.
    setInterval(() => this.#watchdog(), HEARTBEAT);
  }

  isReady(): boolean {
    for (const worker of this.#workers.values()) if (isUsable(worker)) return true;
    return false;
  }

  async start(env: readonly string[], fd: number): Promise<string> {
    const id = ++this.#serial;
    const packet = toBuffer(encodeConnection(id, env));
    if (packet.length > PACKET_LIMIT) throw new Error("its environment is too long");
    const end = performance.now() + PATIENCE;
    while (performance.now() < end) {
      for (const worker of this.#byLoad()) {
        if (!this.#descriptors.send(worker.socket, packet, [fd])) continue;
        worker.sessions.add(id);
        worker.lastUsed = id;
        return nameOf(worker, id);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
    throw new Error("no worker is ready");
  }

  watch(onEnd: (name: string, status: number) => void, onReady: () => void): void {
    this.#ended = onEnd;
    this.#ready = onReady;
  }

  /** Gives all workers these certificates. */
  certify(packets: readonly string[]): void {
    this.#certificates = packets;
    for (const worker of this.#workers.values()) {
      const isSending = worker.unsent.length > 0;
      worker.unsent = packets;
      if (!isSending) this.#send(worker);
    }
  }

  #introduce(socket: number, monitor: number): void {
    this.#descriptors.send(socket, toBuffer(encodeMonitor()), [monitor]);
    closeSync(monitor);
  }

  #send(worker: Worker): void {
    let [first, ...rest] = worker.unsent;
    while (first !== undefined && this.#descriptors.send(worker.socket, toBuffer(first), [])) {
      worker.unsent = rest;
      [first, ...rest] = rest;
    }
    if (first === undefined) this.#ready();
    else setTimeout(() => this.#has(worker) && this.#send(worker), RETRY);
  }

  /** The workers that are ready: the one with the fewest sessions first, of those the one that was used longest ago. */
  #byLoad(): Worker[] {
    const ready = [...this.#workers.values()].filter(isUsable);
    return ready.sort((a, b) => a.sessions.size - b.sessions.size || a.lastUsed - b.lastUsed);
  }

  #watch(socket: number, pid: number): Worker {
    const packet = Buffer.alloc(PACKET_LIMIT + 1);
    const startedAt = performance.now();
    let isOpen = true;
    const take = () => {
      if (!isOpen) return false;
      const got = this.#descriptors.poll(socket, packet);
      if (got === "none" || !got) return false; // if it has closed its socket, its end is reported as well
      got.fds.forEach(closeSync);
      const isValid = this.#take(worker, packet.toString("latin1", 0, got.length));
      if (!isValid && this.#has(worker)) process.kill(pid, "SIGKILL");
      return true;
    };
    const unwatch = whenReady(socket, inTurns(take));
    const worker: Worker = {
      socket,
      pid,
      sessions: new Set(),
      isReady: false,
      unsent: [],
      lastUsed: 0,
      silent: 0,
      read() {
        while (take());
      },
      stop: () => {
        worker.read(); // what it reported before its end
        isOpen = false;
        unwatch();
        closeSync(socket);
        setTimeout(() => this.#replace(), Math.max(0, startedAt + PAUSE - performance.now()));
      },
    };
    this.#workers.set(pid, worker);
    worker.unsent = this.#certificates;
    this.#send(worker);
    return worker;
  }

  /** Kills workers whose event loops do not run. */
  #watchdog(): void {
    for (const worker of this.#workers.values()) {
      worker.read();
      worker.silent++;
      if (worker.silent <= HUNG || !this.#has(worker)) continue;
      this.#say(
        `warning: worker ${worker.pid} has not responded for ${(HUNG * HEARTBEAT) / 1000} seconds: killed`,
      );
      process.kill(worker.pid, "SIGKILL");
    }
  }

  /** Takes a report of a worker; false if it is invalid. */
  #take(worker: Worker, packet: string): boolean {
    worker.silent = 0;
    if (isReady(packet)) {
      worker.isReady = true;
      this.#ready();
      return true;
    }
    const ends = decodeEnds(packet);
    for (const { id, code } of ends ?? []) {
      if (worker.sessions.delete(id)) this.#ended(nameOf(worker, id), code << 8);
    }
    return ends !== undefined;
  }

  #over(pid: number, status: number): void {
    const worker = this.#workers.get(pid);
    if (!worker) return;
    this.#workers.delete(pid); // the pid may now be that of another process
    worker.stop();
    this.#say(`warning: worker ${pid} ended with status ${status}, sessions ${worker.sessions.size}`);
    for (const id of worker.sessions) this.#ended(nameOf(worker, id), status);
  }

  /** Is it running? */
  #has(worker: Worker): boolean {
    return this.#workers.get(worker.pid) === worker;
  }

  #replace(): void {
    try {
      this.#start();
    } catch (error) {
      this.#say(`warning: unable to start a worker: ${reason(error)}`);
      setTimeout(() => this.#replace(), PAUSE);
    }
  }
}

const isUsable = ({ isReady, silent, unsent }: Worker): boolean =>
  isReady && silent <= LATE && unsent.length === 0;

/** What stands for a session in log lines, where a child has its pid. */
const nameOf = ({ pid }: Worker, id: number): string => `${pid}.${id}`;

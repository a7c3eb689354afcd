import { errnoError, type Libc, libc } from "@qmail-mysql/native";
import { type Steps, WAIT } from "@qmail-mysql/steps";
import { errno } from "@qmail-mysql/trouble";

// The event loop of a forked worker, which cannot use the runtime's: that is shared with the process that forked it.

const EPOLL_CLOEXEC = 0o2000000; // sys/epoll.h
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 0x1;
const EPOLLOUT = 0x4;
const EPOLLET = 2 ** 31;
const EVENT = process.arch === "x64" ? 12 : 16; // bytes of struct epoll_event, packed on x86-64
const DATA = EVENT - 8; // of its descriptor
const EVENTS = 64; // at once
const SWEEP = 1000; // milliseconds between checks of time limits

interface Routine {
  readonly fd: number;
  readonly steps: Steps<void>;
  /** Does it wait for its descriptor? */
  isWaiting: boolean;
  /** When it fails with ETIMEDOUT: performance.now(). */
  deadline: number;
  isQueued: boolean;
}

/** Runs routines, each with a descriptor that does not block, in one thread with blocking calls. */
export class Loop {
  readonly #c: Libc = libc();
  readonly #epoll: number;
  readonly #event = Buffer.from(new ArrayBuffer(EVENT));
  readonly #events = Buffer.from(new ArrayBuffer(EVENT * EVENTS));
  readonly #routines = new Map<number, Routine>();
  readonly #watched = new Map<number, () => void>();
  #queue: Routine[] = [];
  #swept = performance.now();

  constructor() {
    this.#epoll = this.#c.call.epoll_create1(EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw this.#c.failure();
  }

  /** Number of routines that have not ended. */
  get size(): number {
    return this.#routines.size;
  }

  /** Calls back when a descriptor may be read. */
  watch(fd: number, look: () => void): void {
    this.#watched.set(fd, look);
    this.#control(EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  unwatch(fd: number): void {
    if (this.#watched.delete(fd)) this.#control(EPOLL_CTL_DEL, fd, 0);
  }

  /** Begins a routine, and closes its descriptor when it has ended. */
  begin(fd: number, steps: Steps<void>): void {
    const routine: Routine = { fd, steps, isWaiting: false, deadline: Infinity, isQueued: true };
    this.#routines.set(fd, routine);
    this.#control(EPOLL_CTL_ADD, fd, EPOLLIN + EPOLLOUT + EPOLLET);
    this.#queue.push(routine);
  }

  /** The routine of this descriptor fails with ETIMEDOUT if it then still waits. */
  limit(fd: number, ms: number): void {
    const routine = this.#routines.get(fd);
    if (routine) routine.deadline = performance.now() + ms;
  }

  /** Continues the routine of this descriptor after the others, though its descriptor is ready. */
  again(fd: number): void {
    const routine = this.#routines.get(fd);
    if (!routine) return;
    routine.deadline = Infinity;
    this.#enqueue(routine);
  }

  /** Runs until `isOver`, which is asked in between. */
  run(isOver: () => boolean): void {
    while (!isOver()) {
      const queue = this.#queue;
      this.#queue = [];
      for (const routine of queue) {
        routine.isQueued = false;
        this.#advance(routine);
      }
      if (isOver()) return;
      this.#wait(this.#queue.length > 0 ? 0 : SWEEP);
      this.#sweep();
    }
  }

  #wait(ms: number): void {
    const count = this.#c.call.epoll_wait(this.#epoll, this.#events, EVENTS, ms);
    for (let i = 0; i < count; i++) {
      const fd = this.#events.readInt32LE(i * EVENT + DATA);
      const routine = this.#routines.get(fd);
      if (routine?.isWaiting) this.#enqueue(routine);
      else this.#watched.get(fd)?.();
    }
  }

  #enqueue(routine: Routine): void {
    if (!routine.isQueued) this.#queue.push(routine);
    routine.isQueued = true;
  }

  /** Continues a routine until it has to wait, lets others continue, or ends. */
  #advance(routine: Routine): void {
    routine.isWaiting = false;
    try {
      const { done, value } = routine.steps.next();
      if (done) this.#end(routine);
      else if (value === WAIT) routine.isWaiting = true;
      else this.#enqueue(routine);
    } catch {
      this.#end(routine); // it has not handled its error
    }
  }

  /** Throws an error into a routine, which may still do something. */
  #fail(routine: Routine, error: unknown): void {
    try {
      routine.steps.throw(error);
    } catch {
      // it ends without having handled it
    }
    this.#end(routine);
  }

  #end(routine: Routine): void {
    this.#routines.delete(routine.fd);
    this.#control(EPOLL_CTL_DEL, routine.fd, 0);
    this.#c.call.close(routine.fd);
  }

  #sweep(): void {
    const now = performance.now();
    if (now < this.#swept + SWEEP) return;
    this.#swept = now;
    for (const routine of this.#routines.values()) {
      if (routine.isWaiting && routine.deadline < now) this.#fail(routine, errnoError(ETIMEDOUT));
    }
  }

  #control(operation: number, fd: number, events: number): void {
    this.#event.writeUInt32LE(events, 0);
    this.#event.writeInt32LE(fd, DATA);
    const result = this.#c.call.epoll_ctl(this.#epoll, operation, fd, this.#event);
    if (result < 0 && operation === EPOLL_CTL_ADD) throw this.#c.failure();
  }
}

const ETIMEDOUT = 110; // asm-generic/errno.h

/** The errors after which a call is made again when the descriptor is ready. */
export const isNotReady = (error: unknown): boolean => ["EAGAIN", "EINTR"].includes(errno(error));

import { F_SETFL, type Native, O_NONBLOCK } from "@qmail-mysql/native";
import { whenReady } from "@qmail-mysql/socket";
import { byteString, toBuffer } from "@qmail-mysql/wire";
import { CUSTOM_LIMIT, NOT_RUN, type PipedEnd } from "./piped.ts";
import { type Started, startQueue } from "./start.ts";

// Linux, on 64-bit machines
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const SIGINFO_WORDS = 32; // siginfo_t
const PID_WORD = 4;
const PIPE_BUF = 4096; // bytes that an empty pipe takes without a wait; limits.h
const POLL_INTERVAL = 1000; // milliseconds: the delay if SIGCHLD is lost, or if it writes more to descriptor 6 than is kept

/** A running qmail-queue of a process that serves others meanwhile. */
export interface ConcurrentQueue {
  /** False if it has stopped reading. */
  put(bytes: Uint8Array): boolean | Promise<boolean>;
  close(envelope: string): Promise<PipedEnd>;
  abandon(): void;
}

/** Starts `program`: startQueue. Undefined if there is no pipe or process for it. */
export function concurrentQueue(
  c: Native,
  program: string,
  env: readonly string[],
): ConcurrentQueue | undefined {
  const started = startQueue(c, program, env);
  return started && new Running(c, started);
}

interface Child {
  ended(status: number): void;
  /** Is called now and then. */
  poll(): void;
}

/** The running ones, by pid. */
const running = new Map<number, Child>();
let timer: NodeJS.Timeout | undefined;
let reap: (() => void) | undefined;

/** Reports the wait status of a child. Others are not waited for: their end is reported elsewhere. */
function watchEnd(c: Native, pid: number, child: Child): void {
  reap ??= reaper(c);
  running.set(pid, child);
  timer ??= setInterval(() => {
    reap?.();
    for (const child of running.values()) child.poll();
    if (running.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }, POLL_INTERVAL);
}

/** Returns a function that waits for those that have ended, and is called when a child ends. */
function reaper(c: Native): () => void {
  const status = new Int32Array(1);
  const siginfo = new Int32Array(SIGINFO_WORDS);
  const wait = (pid: number): void => {
    const got = c.raw("waitpid", pid, status, WNOHANG);
    if (got === 0) return;
    const child = running.get(pid);
    running.delete(pid);
    child?.ended(got === pid ? (status[0] ?? 0) : -1);
  };
  /** The pid of a child that has ended and was not waited for; 0 if there is none. */
  const ended = (): number => {
    siginfo[PID_WORD] = 0;
    const isFound = c.raw("waitid", P_ALL, 0, siginfo, WEXITED | WNOHANG | WNOWAIT) === 0;
    return isFound ? (siginfo[PID_WORD] ?? 0) : 0;
  };
  const reap = () => {
    for (let pid = ended(); pid > 0; pid = ended()) {
      // That of another part of the program hides later ones.
      if (!running.has(pid)) return [...running.keys()].forEach(wait);
      wait(pid);
    }
  };
  process.on("SIGCHLD", reap);
  return reap;
}

const NOTHING = new Uint8Array(0);

class Running implements ConcurrentQueue {
  readonly #c: Native;
  readonly #started: Started;
  readonly #end: Promise<number | undefined>;
  #isComplete: boolean;
  #customText = "";
  #isOpen = true;
  /** Bytes of the message that are not written yet: a short message is written at once. */
  #kept: Uint8Array = NOTHING;

  constructor(c: Native, started: Started) {
    this.#c = c;
    this.#started = started;
    const { pid, text } = started;
    this.#isComplete = pid !== undefined;
    this.#makeNonblocking(text);
    this.#end = new Promise((resolve) => {
      if (pid === undefined) resolve(undefined);
      else watchEnd(c, pid, { ended: resolve, poll: () => this.#listen() });
    });
  }

  put(bytes: Uint8Array): boolean | Promise<boolean> {
    const all = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    const isShort = all.length <= PIPE_BUF;
    this.#kept = isShort ? all : NOTHING;
    return isShort ? this.#isComplete : this.#write(this.#started.text, all);
  }

  async close(envelope: string): Promise<PipedEnd> {
    const { pid = 0, text, addresses, custom, close } = this.#started;
    if (this.#kept.length > 0) await this.#write(text, this.#kept);
    close(text);
    if (envelope.length > PIPE_BUF) this.#makeNonblocking(addresses);
    if (envelope !== "") await this.#write(addresses, toBuffer(envelope));
    close(addresses);
    const code = exitCode(await this.#end);
    if (code !== 0) this.#listen();
    this.#isOpen = false;
    close(custom);
    return { pid, code, custom: this.#customText, isComplete: this.#isComplete };
  }

  abandon(): void {
    this.#isOpen = false;
    const { text, addresses, custom, close } = this.#started;
    close(text, addresses, custom);
  }

  #makeNonblocking(fd: number): void {
    this.#c.raw("fcntl", fd, F_SETFL, O_NONBLOCK);
  }

  #write(fd: number, bytes: Uint8Array): boolean | Promise<boolean> {
    if (!this.#isComplete) return false;
    const rest = this.#writeSome(fd, bytes);
    return rest === undefined ? this.#isComplete : this.#writeRest(fd, rest);
  }

  /** Waits while the pipe is full. */
  async #writeRest(fd: number, first: Uint8Array): Promise<boolean> {
    let rest: Uint8Array | undefined = first;
    let go = () => {};
    const unwatch = whenReady(fd, () => go());
    while (rest) {
      const before: Uint8Array = rest;
      rest = this.#writeSome(fd, before);
      if (rest?.length === before.length) {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
      }
    }
    unwatch();
    return this.#isComplete;
  }

  /** What is left if the pipe is full; undefined if nothing is, or nobody reads any more. */
  #writeSome(fd: number, bytes: Uint8Array): Uint8Array | undefined {
    for (let rest = bytes; rest.length > 0; ) {
      const n = this.#c.raw("write", fd, rest, rest.length);
      if (n === rest.length) break;
      if (n >= 0) {
        rest = rest.subarray(n);
        continue;
      }
      const code = this.#c.failureCode();
      if (code === "EAGAIN") return rest;
      if (code === "EINTR") continue;
      this.#isComplete = false;
      break;
    }
    return undefined;
  }

  /**
   * Reads what it has written to descriptor 6; one that writes more than is kept gets EPIPE. A process of its own that
   * keeps it open is not waited for.
   */
  #listen(): void {
    const { custom, close } = this.#started;
    if (!this.#isOpen) return;
    this.#makeNonblocking(custom);
    const piece = new Uint8Array(CUSTOM_LIMIT);
    for (let n = 1; n > 0 && this.#customText.length < CUSTOM_LIMIT; ) {
      n = this.#c.raw("read", custom, piece, CUSTOM_LIMIT - this.#customText.length);
      if (n > 0) this.#customText += byteString(piece, n);
    }
    if (this.#customText.length < CUSTOM_LIMIT) return;
    this.#isOpen = false;
    close(custom);
  }
}

/** Undefined if it was killed by a signal. */
function exitCode(status: number | undefined): number | undefined {
  if (status === undefined) return NOT_RUN;
  return status >= 0 && (status & 0x7f) === 0 ? (status >> 8) & 0xff : undefined;
}

import { F_SETFL, type Native, O_NONBLOCK } from "@qmail-mysql/native";
import { whenReady } from "@qmail-mysql/socket";
import { byteString, toBuffer } from "@qmail-mysql/wire";
import { CUSTOM_LIMIT, NOT_RUN, type PipedEnd } from "./piped.ts";
import { type Started, startQueue } from "./start.ts";

const WNOHANG = 1;
const LOOK_AGAIN = 1000; // milliseconds: the delay if SIGCHLD is lost, or if it writes more to descriptor 6 than is kept

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
  look(): void;
}

/** The running ones, by pid. */
const running = new Map<number, Child>();
let timer: NodeJS.Timeout | undefined;
let reap: (() => void) | undefined;

/** Reports the wait status of a child. Others are not waited for: their end is reported elsewhere. */
function watchEnd(c: Native, pid: number, child: Child): void {
  const status = new Int32Array(1);
  if (!reap) {
    reap = () => {
      for (const [pid, child] of running) {
        const got = c.raw("waitpid", pid, status, WNOHANG);
        if (got === 0) continue;
        running.delete(pid);
        child.ended(got === pid ? (status[0] ?? 0) : -1);
      }
      if (running.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
    process.on("SIGCHLD", reap);
  }
  running.set(pid, child);
  timer ??= setInterval(() => {
    reap?.();
    for (const child of running.values()) child.look();
  }, LOOK_AGAIN);
}

class Running implements ConcurrentQueue {
  readonly #c: Native;
  readonly #started: Started;
  readonly #end: Promise<number | undefined>;
  #isComplete = true;
  #said = "";
  #isOpen = true;

  constructor(c: Native, started: Started) {
    this.#c = c;
    this.#started = started;
    const { pid, text, addresses, custom } = started;
    for (const fd of [text, addresses, custom]) c.raw("fcntl", fd, F_SETFL, O_NONBLOCK);
    this.#end = new Promise((resolve) => {
      if (pid === undefined) resolve(undefined);
      else watchEnd(c, pid, { ended: resolve, look: () => this.#listen() });
    });
  }

  put(bytes: Uint8Array): boolean | Promise<boolean> {
    return this.#write(this.#started.text, bytes);
  }

  async close(envelope: string): Promise<PipedEnd> {
    const { pid = 0, text, addresses, custom, close } = this.#started;
    close(text);
    if (envelope !== "") await this.#write(addresses, toBuffer(envelope));
    close(addresses);
    const status = await this.#end;
    this.#listen();
    this.#isOpen = false;
    close(custom);
    return { pid, code: exitCode(status), custom: this.#said, isComplete: this.#isComplete };
  }

  abandon(): void {
    this.#isOpen = false;
    const { text, addresses, custom, close } = this.#started;
    close(text, addresses, custom);
  }

  #write(fd: number, bytes: Uint8Array): boolean | Promise<boolean> {
    if (this.#started.pid === undefined) this.#isComplete = false;
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
    for (let at = 0; at < bytes.length; ) {
      const n = this.#c.raw("write", fd, bytes.subarray(at), bytes.length - at);
      if (n >= 0) {
        at += n;
        continue;
      }
      const { code } = this.#c.failure();
      if (code === "EAGAIN") return bytes.subarray(at);
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
    const piece = new Uint8Array(CUSTOM_LIMIT);
    for (let n = 1; n > 0 && this.#said.length < CUSTOM_LIMIT; ) {
      n = this.#c.raw("read", custom, piece, CUSTOM_LIMIT - this.#said.length);
      if (n > 0) this.#said += byteString(piece, n);
    }
    if (this.#said.length < CUSTOM_LIMIT) return;
    this.#isOpen = false;
    close(custom);
  }
}

/** Undefined if it was killed by a signal. */
function exitCode(status: number | undefined): number | undefined {
  if (status === undefined) return NOT_RUN;
  return status >= 0 && (status & 0x7f) === 0 ? (status >> 8) & 0xff : undefined;
}

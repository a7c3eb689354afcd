import { errno, errorOf, Trouble } from "@qmail-mysql/trouble";
import { isAscii } from "@qmail-mysql/wire";
import { errnoError, errnoName } from "./errno-number.ts";
import { type Argument, type CType, type Entry, libraries } from "./library.ts";
import { isBun } from "./runtime.ts";

// All functions of the C library that are used, with the types of their arguments.

const SYMBOLS = {
  _exit: ["i32"],
  accept4: ["i32", "ptr", "ptr", "i32"],
  bind: ["i32", "ptr", "i32"],
  close: ["i32"],
  connect: ["i32", "ptr", "i32"],
  dup2: ["i32", "i32"],
  epoll_create1: ["i32"],
  epoll_ctl: ["i32", "i32", "i32", "ptr"],
  epoll_wait: ["i32", "ptr", "i32", "i32"],
  execve: ["ptr", "ptr", "ptr"],
  fcntl: ["i32", "i32", "i32"],
  flock: ["i32", "i32"],
  fork: [],
  getdents64: ["i32", "ptr", "i32"],
  getpid: [],
  getsockname: ["i32", "ptr", "ptr"],
  getsockopt: ["i32", "i32", "i32", "ptr", "ptr"],
  listen: ["i32", "i32"],
  madvise: ["ptr", "ptr", "i32"],
  open: ["ptr", "i32", "i32"],
  pipe2: ["ptr", "i32"],
  poll: ["ptr", "i32", "i32"],
  posix_spawn: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"],
  posix_spawn_file_actions_addclose: ["ptr", "i32"],
  posix_spawn_file_actions_adddup2: ["ptr", "i32", "i32"],
  posix_spawn_file_actions_destroy: ["ptr"],
  posix_spawn_file_actions_init: ["ptr"],
  posix_spawnattr_init: ["ptr"],
  posix_spawnattr_setflags: ["ptr", "i32"],
  posix_spawnattr_setsigdefault: ["ptr", "ptr"],
  posix_spawnattr_setsigmask: ["ptr", "ptr"],
  read: ["i32", "ptr", "i32"],
  recv: ["i32", "ptr", "i32", "i32"],
  recvmsg: ["i32", "ptr", "i32"],
  send: ["i32", "ptr", "i32", "i32"],
  sendmsg: ["i32", "ptr", "i32"],
  setgid: ["i32"],
  setsockopt: ["i32", "i32", "i32", "ptr", "i32"],
  setuid: ["i32"],
  shutdown: ["i32", "i32"],
  sigemptyset: ["ptr"],
  sigfillset: ["ptr"],
  signal: ["i32", "ptr"],
  signalfd: ["i32", "ptr", "i32"],
  sigprocmask: ["i32", "ptr", "ptr"],
  socket: ["i32", "i32", "i32"],
  socketpair: ["i32", "i32", "i32", "ptr"],
  statx: ["i32", "ptr", "i32", "i32", "ptr"],
  waitid: ["i32", "i32", "ptr", "i32"],
  waitpid: ["i32", "ptr", "i32"],
  write: ["i32", "ptr", "i32"],
} as const satisfies Record<string, readonly CType[]>;

export type Name = keyof typeof SYMBOLS;

export interface Native {
  /** Calls a function. Throws with an errno if it returns -1. */
  call(name: Name, ...args: Argument[]): number;
  /** Calls a function and returns what it returns. */
  raw(name: Name, ...args: Argument[]): number;
  /** Opens functions in advance. */
  prepare(...names: Name[]): void;
  /** The error of the call that just failed. */
  failure(): Error & { code: string };
  /** The name of its errno, where a failure is usual: an Error takes longer than the call. */
  failureCode(): string;
  /** The address of the bytes of a view, valid while the view exists. */
  address(view: ArrayBufferView): number;
}

let loaded: Native | undefined | "none";

/** Undefined if the C library cannot be called: under Node, or if the limit on address space is too low. */
export function native(): Native | undefined {
  loaded ??= load() ?? "none";
  return loaded === "none" ? undefined : loaded;
}

function load(): Native | undefined {
  const library = libraries();
  if (!library) return undefined;
  const open = (name: string, args: readonly CType[], returns: CType) =>
    library.open("libc.so.6", name, args, returns);
  const opened: Partial<Record<Name, Entry>> = {};
  try {
    const errnoAt = open("__errno_location", [], "ptr")();
    const failure = () => errnoError(library.readInt(errnoAt));
    const failureCode = () => errnoName(library.readInt(errnoAt));
    const entry = (name: Name): Entry => {
      opened[name] ??= open(name, SYMBOLS[name], "i32");
      return opened[name];
    };
    const raw: Native["raw"] = (name, ...args) => entry(name)(...args);
    return {
      call(name, ...args) {
        const result = raw(name, ...args);
        if (result === -1) throw failure();
        return result;
      },
      raw,
      prepare: (...names) => void names.map(entry),
      failure,
      failureCode,
      address: library.address,
    };
  } catch {
    return undefined;
  }
}

/** All functions by name, for a program that requires them; calls return what C returns. */
export interface Libc {
  readonly call: Readonly<Record<Name, (...args: Argument[]) => number>>;
  readonly prepare: Native["prepare"];
  readonly failure: Native["failure"];
  readonly failureCode: Native["failureCode"];
  readonly address: Native["address"];
}

let all: Libc | undefined;

/** The C library. Throws Trouble if it cannot be called. */
export function libc(): Libc {
  if (all) return all;
  const c = native();
  if (!c) {
    throw new Trouble(
      isBun()
        ? "unable to call the C library: the limit on address space is below 3 GB"
        : "unable to call the C library: this program needs the compiled runtime",
    );
  }
  const calls = Object.keys(SYMBOLS).map((name) => [name, c.raw.bind(undefined, name as Name)]);
  const { prepare, failure, failureCode, address } = c;
  all = { call: Object.fromEntries(calls), prepare, failure, failureCode, address };
  return all;
}

const utf8 = new TextEncoder(); // one: making it costs more than to encode a name

/** The bytes of a byte string, terminated by NUL. */
export function cString(bytes: string): Uint8Array {
  const all = `${bytes}\0`;
  return isAscii(bytes) ? utf8.encode(all) : Buffer.from(all, "latin1");
}

const POLLIN = 1; // poll.h

/** Reads what is available; 0 at the end. Throws with an errno: ETIMEDOUT after `ms` milliseconds without a byte. */
export function readWithin(c: Native, fd: number, piece: Uint8Array, ms: number): number {
  const end = performance.now() + ms;
  for (;;) {
    const left = Math.max(0, Math.ceil(end - performance.now()));
    try {
      if (c.call("poll", Int32Array.of(fd, POLLIN), 1, left) === 0) throw errorOf("ETIMEDOUT");
      return c.call("read", fd, piece, piece.length);
    } catch (error) {
      // Another process that shares the descriptor has read the data, or a signal was received.
      if (errno(error) !== "EAGAIN" && errno(error) !== "EINTR") throw error;
    }
  }
}

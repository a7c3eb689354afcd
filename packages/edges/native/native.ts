import { errno, errorOf, Trouble } from "@qmail-mysql/trouble";
import { isAscii } from "@qmail-mysql/wire";
import { errnoError } from "./errno-number.ts";

// The C library, for programs that live for two milliseconds: loading node:fs or bun:ffi takes such a program
// longer than all it does (bench/PROFILE.md). This is the runtime's own entrance, the one below bun:ffi.

type Arg = "i32" | "ptr";

const SYMBOLS = {
  close: ["i32"],
  connect: ["i32", "ptr", "i32"],
  execve: ["ptr", "ptr", "ptr"],
  fcntl: ["i32", "i32", "i32"],
  getsockopt: ["i32", "i32", "i32", "ptr", "ptr"],
  open: ["ptr", "i32", "i32"],
  poll: ["ptr", "i32", "i32"],
  read: ["i32", "ptr", "i32"],
  setsockopt: ["i32", "i32", "i32", "ptr", "i32"],
  signal: ["i32", "ptr"],
  sigprocmask: ["i32", "ptr", "ptr"],
  socket: ["i32", "i32", "i32"],
  statx: ["i32", "ptr", "i32", "i32", "ptr"],
  write: ["i32", "ptr", "i32"],
} as const satisfies Record<string, readonly Arg[]>;

type Name = keyof typeof SYMBOLS;
type Entry = (...args: number[]) => number;
type View = Uint8Array | Int32Array | BigInt64Array | BigUint64Array;

interface Runtime {
  readonly FFI?: {
    dlopen(
      library: string,
      symbols: Readonly<Record<string, { args: readonly Arg[]; returns: Arg }>>,
    ): { readonly symbols?: Readonly<Record<string, (...args: number[]) => number>> };
    ptr(view: View): number;
    readonly read: { i32(pointer: number, offset: number): number };
  };
}

declare const Bun: Runtime | undefined;

export interface Native {
  /** Calls a function, a view standing for its address. Throws with an errno what returns -1. */
  call(name: Name, ...args: (number | View)[]): number;
  /** The address of a view's bytes, good for as long as the view is kept. */
  address(view: View): number;
}

let loaded: Native | undefined | "none";

/** Undefined where there is none: under Node, and where a limit on address space leaves code no room. */
export function native(): Native | undefined {
  loaded ??= load() ?? "none";
  return loaded === "none" ? undefined : loaded;
}

function load(): Native | undefined {
  const ffi = typeof Bun === "undefined" ? undefined : Bun.FFI;
  if (!ffi) return undefined;
  /** The runtime compiles each function that is declared: only those that are called, when they are. */
  const open = (name: string, args: readonly Arg[], returns: Arg): Entry => {
    const { symbols } = ffi.dlopen("libc.so.6", { [name]: { args, returns } });
    const entry = symbols?.[name]; // what it cannot do it may return as an Error
    if (entry) return entry;
    throw new Trouble("unable to call the C library: the limit on address space is too low");
  };
  const opened: Partial<Record<Name, Entry>> = {};
  try {
    const errnoAt = open("__errno_location", [], "ptr")();
    return {
      call(name, ...args) {
        opened[name] ??= open(name, SYMBOLS[name], "i32");
        const result = opened[name](...args.map((arg) => (typeof arg === "number" ? arg : ffi.ptr(arg))));
        if (result === -1) throw errnoError(ffi.read.i32(errnoAt, 0));
        return result;
      },
      address: (view) => ffi.ptr(view),
    };
  } catch {
    return undefined;
  }
}

/** The bytes of a byte string, with a NUL behind them. */
export function cString(bytes: string): Uint8Array {
  const all = `${bytes}\0`;
  return isAscii(bytes) ? new TextEncoder().encode(all) : Buffer.from(all, "latin1");
}

const PIECE = 8192; // arguments of one call

/** The byte string of the first `n` bytes. Buffer would cost more to begin with than it does here. */
export function byteString(bytes: Uint8Array, n: number): string {
  let all = "";
  for (let at = 0; at < n; at += PIECE) {
    const piece = bytes.subarray(at, Math.min(at + PIECE, n));
    all += String.fromCharCode.apply(undefined, piece as unknown as number[]);
  }
  return all;
}

const POLLIN = 1; // poll.h

/** Reads what is there, 0 at the end. Throws with an errno, ETIMEDOUT after `ms` milliseconds without a byte. */
export function readWithin(c: Native, fd: number, piece: Uint8Array, ms: number): number {
  const end = performance.now() + ms;
  for (;;) {
    const left = Math.max(0, Math.ceil(end - performance.now()));
    try {
      if (c.call("poll", Int32Array.of(fd, POLLIN), 1, left) === 0) throw errorOf("ETIMEDOUT");
      return c.call("read", fd, piece, piece.length);
    } catch (error) {
      // Another process that shares the descriptor was quicker, or a signal came.
      if (errno(error) !== "EAGAIN" && errno(error) !== "EINTR") throw error;
    }
  }
}

import { errnoError, errnoName } from "./errno-number.ts";
import type { Native } from "./native.ts";
import { type Vector, vector } from "./vector.ts";

// Linux and the C library's ABI on 64-bit machines
const SETPGROUP = 0x02; // spawn.h
const SETSIGDEF_AND_SETSIGMASK = 0x04 | 0x08;
const ATTR_SIZE = 512; // bytes; posix_spawnattr_t is 336 in glibc, 288 in musl
const ACTIONS_SIZE = 256;
const SIGSET_SIZE = 128;
const SIGPIPE_BYTE = 1; // of a signal set: signal 13 is bit 12
const SIGPIPE_BIT = 1 << 4;
const NO_PROCESS = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"];

/** A program to start. */
export interface Spawned {
  /** The first one is its path. Byte strings. */
  readonly argv: readonly string[];
  /** NAME=value, byte strings. */
  readonly env: readonly string[];
  /** In this order, `from` becomes `to`; "closed" closes it. */
  readonly descriptors: readonly (readonly [from: number | "closed", to: number])[];
  /** It leads a process group of its own, so that what it starts can be killed with it. */
  readonly isLeader?: boolean;
}

/** What is the same for all programs. */
interface Prepared {
  readonly attr: Uint8Array;
  readonly actions: Uint8Array;
  readonly pid: Int32Array;
}

let prepared: Prepared | undefined;

function prepare(c: Native): Prepared {
  const attr = new Uint8Array(ATTR_SIZE);
  const [signals, none] = [new Uint8Array(SIGSET_SIZE), new Uint8Array(SIGSET_SIZE)];
  c.raw("sigfillset", signals);
  signals[SIGPIPE_BYTE] = (signals[SIGPIPE_BYTE] ?? 0) & ~SIGPIPE_BIT;
  c.raw("posix_spawnattr_init", attr);
  c.raw("posix_spawnattr_setsigdefault", attr, signals);
  c.raw("posix_spawnattr_setsigmask", attr, none);
  return { attr, actions: new Uint8Array(ACTIONS_SIZE), pid: new Int32Array(1) };
}

/** Of environments: a session passes the same one with each message. */
const vectors = new WeakMap<readonly string[], Vector>();

function vectorOf(c: Native, strings: readonly string[]): Vector {
  const made = vectors.get(strings) ?? vector(c, strings);
  vectors.set(strings, made);
  return made;
}

/**
 * Starts a program with posix_spawn(3) and returns its pid; undefined if it cannot be executed. No signal is blocked, and
 * all have their default actions but SIGPIPE, which is ignored as below stock qmail-smtpd. Throws with an errno if no
 * process can be made.
 */
export function spawn(c: Native, { argv, env, descriptors, isLeader = false }: Spawned): number | undefined {
  prepared ??= prepare(c);
  const { attr, actions, pid } = prepared;
  c.raw("posix_spawnattr_setflags", attr, SETSIGDEF_AND_SETSIGMASK | (isLeader ? SETPGROUP : 0));
  c.raw("posix_spawn_file_actions_init", actions);
  try {
    for (const [from, to] of descriptors) {
      if (from === "closed") c.raw("posix_spawn_file_actions_addclose", actions, to);
      else c.raw("posix_spawn_file_actions_adddup2", actions, from, to);
    }
    const [args, variables] = [vector(c, argv), vectorOf(c, env)];
    // The bytes of `args` begin with the path.
    const error = c.raw("posix_spawn", pid, args.bytes, actions, attr, args.pointers, variables.pointers);
    // The strings have to be referenced until here.
    if (error === 0 && args.bytes.length + variables.bytes.length > 0) return pid[0];
    if (NO_PROCESS.includes(errnoName(error))) throw errnoError(error);
    return undefined;
  } finally {
    c.raw("posix_spawn_file_actions_destroy", actions);
  }
}

/** Waits for a child; returns its exit code, undefined if it was killed by a signal. */
export function awaitChild(c: Native, pid: number): number | undefined {
  const status = new Int32Array(1);
  while (c.raw("waitpid", pid, status, 0) < 0) {
    if (c.failureCode() !== "EINTR") return undefined;
  }
  const [word = 0] = status;
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : undefined;
}

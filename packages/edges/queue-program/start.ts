import { cString, errnoError, type Native, O_CLOEXEC, vector } from "@qmail-mysql/native";

// Linux and the C library's ABI on 64-bit machines
const SETSIGDEF_AND_SETSIGMASK = 0x04 | 0x08; // spawn.h
const ATTR_SIZE = 512; // bytes; posix_spawnattr_t is 336 in glibc, 288 in musl
const ACTIONS_SIZE = 256;
const SIGSET_SIZE = 128;
const SIGPIPE_BYTE = 1; // of a signal set: signal 13 is bit 12
const SIGPIPE_BIT = 1 << 4;

const NO_PROCESS = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"];

/** A qmail-queue that was started, and our ends of the pipes to its descriptors 0 and 1 and from 6. */
export interface Started {
  /** Undefined if the program cannot be executed. */
  readonly pid: number | undefined;
  readonly text: number;
  readonly addresses: number;
  readonly custom: number;
  /** Closes those that are still open. */
  close(...fds: readonly number[]): void;
}

/**
 * Starts `program`, a path relative to the current directory, as qmail.c does: SIGPIPE ignored, these variables.
 * Undefined if there is no pipe or process for it.
 */
export function startQueue(c: Native, program: string, env: readonly string[]): Started | undefined {
  const open = new Set<number>();
  const close = (...fds: readonly number[]) => {
    for (const fd of fds) if (open.delete(fd)) c.raw("close", fd);
  };
  const pipe = (): [number, number] => {
    const ends = new Int32Array(2);
    c.call("pipe2", ends, O_CLOEXEC);
    for (const fd of ends) open.add(fd);
    return [ends[0] ?? -1, ends[1] ?? -1];
  };
  try {
    const [[theirText, text], [theirAddresses, addresses], [custom, theirCustom]] = [pipe(), pipe(), pipe()];
    const pid = spawn(c, program, env, [theirText, 0], [theirAddresses, 1], [theirCustom, 6]);
    close(theirText, theirAddresses, theirCustom);
    return { pid, text, addresses, custom, close };
  } catch {
    close(...open);
    return undefined;
  }
}

/** The pid; undefined if the program cannot be executed. Throws if no process can be made. */
function spawn(
  c: Native,
  program: string,
  env: readonly string[],
  ...descriptors: readonly [from: number, to: number][]
): number | undefined {
  const attr = new Uint8Array(ATTR_SIZE);
  const actions = new Uint8Array(ACTIONS_SIZE);
  const [signals, none] = [new Uint8Array(SIGSET_SIZE), new Uint8Array(SIGSET_SIZE)];
  c.raw("sigfillset", signals);
  signals[SIGPIPE_BYTE] = (signals[SIGPIPE_BYTE] ?? 0) & ~SIGPIPE_BIT;
  c.raw("posix_spawnattr_init", attr);
  c.raw("posix_spawnattr_setflags", attr, SETSIGDEF_AND_SETSIGMASK);
  c.raw("posix_spawnattr_setsigdefault", attr, signals);
  c.raw("posix_spawnattr_setsigmask", attr, none);
  c.raw("posix_spawn_file_actions_init", actions);
  try {
    for (const [from, to] of descriptors) c.raw("posix_spawn_file_actions_adddup2", actions, from, to);
    const pid = new Int32Array(1);
    const [args, variables] = [vector(c, [program]), vector(c, env)];
    const error = c.raw(
      "posix_spawn",
      pid,
      cString(program),
      actions,
      attr,
      args.pointers,
      variables.pointers,
    );
    if (error === 0) return pid[0];
    if (NO_PROCESS.includes(errnoError(error).code)) throw errnoError(error);
    return undefined;
  } finally {
    c.raw("posix_spawn_file_actions_destroy", actions);
  }
}

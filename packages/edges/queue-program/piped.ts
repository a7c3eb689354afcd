import { cString, errnoError, type Native, readWithin, vector } from "@qmail-mysql/native";
import { byteString, toBuffer } from "@qmail-mysql/wire";

// Linux and the C library's ABI on 64-bit machines
const O_CLOEXEC = 0o2000000;
const SETSIGDEF_AND_SETSIGMASK = 0x04 | 0x08; // spawn.h
const ATTR_SIZE = 512; // bytes; posix_spawnattr_t is 336 in glibc, 288 in musl
const ACTIONS_SIZE = 256;
const SIGSET_SIZE = 128;
const SIGPIPE_BYTE = 1; // of a signal set: signal 13 is bit 12
const SIGPIPE_BIT = 1 << 4;

const CUSTOM_LIMIT = 255; // bytes; qmail-queue(8)
const LIMIT = 86_400_000 + 60_000; // milliseconds; qmail-queue itself exits after a day
const NOT_RUN = 120; // exit code of a child of qmail.c that cannot run the program
const NO_PROCESS = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"];

/** How qmail-queue ended; the code is undefined if it was killed by a signal. */
export interface PipedEnd {
  readonly pid: number;
  readonly code: number | undefined;
  readonly custom: string;
  /** It has read the message and the envelope. */
  readonly isComplete: boolean;
}

/** A running qmail-queue, with blocking calls. */
export interface PipedQueue {
  /** False if it has stopped reading. */
  put(bytes: Uint8Array): boolean;
  close(envelope: string): PipedEnd;
  abandon(): void;
}

/**
 * Starts `program`, a path relative to the current directory, as qmail.c does: pipes to its descriptors 0 and 1 and from
 * 6, SIGPIPE ignored, these variables. Undefined if there is no pipe or process for it.
 */
export function pipedQueue(c: Native, program: string, env: readonly string[]): PipedQueue | undefined {
  const open = new Set<number>();
  const close = (...fds: number[]) => {
    for (const fd of fds) if (open.delete(fd)) c.raw("close", fd);
  };
  const pipe = (): [number, number] => {
    const ends = new Int32Array(2);
    c.call("pipe2", ends, O_CLOEXEC);
    for (const fd of ends) open.add(fd);
    return [ends[0] ?? -1, ends[1] ?? -1];
  };
  let pid: number | undefined;
  try {
    const [[text, toText], [addresses, toAddresses], [custom, toCustom]] = [pipe(), pipe(), pipe()];
    pid = spawn(c, program, env, [text, 0], [addresses, 1], [toCustom, 6]);
    close(text, addresses, toCustom);
    let isComplete = true;
    const put = (fd: number, bytes: Uint8Array): boolean => {
      isComplete &&= pid !== undefined && writeTo(c, fd, bytes);
      return isComplete;
    };
    return {
      put: (bytes) => put(toText, bytes),
      close(envelope) {
        close(toText);
        if (envelope !== "") put(toAddresses, toBuffer(envelope));
        close(toAddresses);
        if (pid === undefined) return { pid: 0, code: NOT_RUN, custom: "", isComplete };
        const said = readCustom(c, custom);
        close(custom);
        return { pid, code: exitCode(c, pid), custom: said, isComplete };
      },
      abandon: () => close(...open),
    };
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

/** False if nobody reads any more. */
function writeTo(c: Native, fd: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const n = c.raw("write", fd, bytes.subarray(at), bytes.length - at);
    if (n >= 0) at += n;
    else if (c.failure().code !== "EINTR") return false;
  }
  return true;
}

/** What it writes to descriptor 6, up to the end. */
function readCustom(c: Native, fd: number): string {
  let text = "";
  try {
    while (text.length < CUSTOM_LIMIT) {
      const piece = new Uint8Array(CUSTOM_LIMIT - text.length);
      const n = readWithin(c, fd, piece, LIMIT);
      if (n === 0) break;
      text += byteString(piece, n);
    }
  } catch {
    // a program that keeps it open for more than a day
  }
  return text;
}

function exitCode(c: Native, pid: number): number | undefined {
  const status = new Int32Array(1);
  while (c.raw("waitpid", pid, status, 0) < 0) {
    if (c.failure().code !== "EINTR") return undefined;
  }
  const [word = 0] = status;
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : undefined;
}

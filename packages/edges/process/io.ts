import { cString, status, writeSome } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

// Only blocking calls: the streams of the runtime would set O_NONBLOCK on descriptors shared with other programs.

const PAUSE = 20; // milliseconds between tries on a descriptor that another process made non-blocking

/** Waits without an event loop. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Repeats a call while a non-blocking descriptor is not ready, at most `ms` milliseconds. */
function retryWhileBusy<T>(ms: number, call: () => T): T {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (errno(error) === "EINTR") continue;
      if (errno(error) !== "EAGAIN" || performance.now() > end) throw error;
      pause(PAUSE);
    }
  }
}

const WRITE_LIMIT = 60_000; // milliseconds after which a log or report pipe that is not read is abandoned

/** Writes all of `data` (text is a byte string). Throws with an errno. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  let rest = typeof data === "string" ? cString(data).subarray(0, data.length) : data;
  while (rest.length > 0) rest = rest.subarray(retryWhileBusy(WRITE_LIMIT, () => writeSome(fd, rest)));
}

/** Writes `text`, a byte string, on descriptor 1. Throws Trouble. */
export function print(text: string): void {
  try {
    writeAll(1, text);
  } catch (error) {
    throw new Trouble(`unable to write to descriptor 1: ${reason(error)}`);
  }
}

/** Writes a line on descriptor 2; does nothing if that is closed or read-only, as under qmail-lspawn. */
export function say(line: string): void {
  try {
    writeAll(2, line.endsWith("\n") ? line : `${line}\n`);
  } catch {
    // there is nowhere to report it
  }
}

const S_IFMT = 0o170000; // sys/stat.h
const GIVEN = [0o010000, 0o100000, 0o140000, 0o020000]; // a pipe, a file, a socket, a character device

/** Was `fd` inherited? The runtime's own descriptors are of none of these types. */
export function given(fd: number): boolean {
  try {
    return GIVEN.includes(status(fd).mode & S_IFMT);
  } catch {
    return false;
  }
}

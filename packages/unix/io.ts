import { fstatSync, writeSync } from "node:fs";
import { Trouble } from "./die.ts";
import { errno, reason } from "./errno.ts";

// Blocking calls only: the runtime's streams would set O_NONBLOCK on descriptors shared with other programs.

const PAUSE = 20; // milliseconds between tries on a descriptor somebody else made non-blocking

/** Waits without an event loop. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Repeats a call for as long as a non-blocking descriptor is not ready, at most `ms` milliseconds. */
function patiently<T>(ms: number, call: () => T): T {
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

const PATIENCE = 60_000; // milliseconds; a log or a report pipe that takes nothing for so long is dead

/** Writes all of `data` (text is a byte string). Throws with an errno when it cannot. */
export function writeAll(fd: number, data: string | Uint8Array): void {
  let rest = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  while (rest.length > 0) rest = rest.subarray(patiently(PATIENCE, () => writeSync(fd, rest)));
}

/** Writes `text`, a byte string, on descriptor 1. Throws Trouble. */
export function print(text: string): void {
  try {
    writeAll(1, text);
  } catch (error) {
    throw new Trouble(`unable to write to descriptor 1: ${reason(error)}`);
  }
}

/** Says a line on descriptor 2; a closed or read-only one, as under qmail-lspawn, is nobody to tell. */
export function say(line: string): void {
  try {
    writeAll(2, line.endsWith("\n") ? line : `${line}\n`);
  } catch {
    // nowhere to say it
  }
}

/** Was `fd` given by whoever started us? The runtime's own descriptors are neither pipe, file nor socket. */
export function given(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isFile() || stat.isSocket() || stat.isCharacterDevice();
  } catch {
    return false;
  }
}

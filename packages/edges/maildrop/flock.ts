import { childProcess } from "@qmail-mysql/native";
import { pause } from "@qmail-mysql/process";

const LOCK_EX_LOCK_NB = 2 | 4; // sys/file.h
const PAUSE = 25; // milliseconds between tries

export type Locked = "locked" | "busy" | "not lockable";

/**
 * Locks the open file for us alone, as flock(2), which is what other programs that write mboxes use; waits for it
 * at most `seconds`. The lock ends when the descriptor is closed.
 */
export function flock(fd: number, seconds: number): Locked {
  return process.versions.bun === undefined ? byProgram(fd, seconds) : byCall(fd, seconds);
}

function byCall(fd: number, seconds: number): Locked {
  const { dlopen, FFIType } = require("bun:ffi") as typeof import("bun:ffi");
  const libc = dlopen("libc.so.6", { flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 } });
  const call = libc.symbols.flock as unknown as (fd: number, operation: number) => number;
  const end = performance.now() + seconds * 1000;
  while (call(fd, LOCK_EX_LOCK_NB) !== 0) {
    // errno is out of reach here: that the file is not lockable at all is found out by waiting.
    if (performance.now() > end) return "busy";
    pause(PAUSE);
  }
  return "locked";
}

/** A lock belongs to the open file, not to who asked for it: flock(1) can take it for us. */
function byProgram(fd: number, seconds: number): Locked {
  const { status } = childProcess().spawnSync("flock", ["-x", "-w", String(seconds), "-E", "75", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  return status === 0 ? "locked" : status === 75 ? "busy" : "not lockable";
}

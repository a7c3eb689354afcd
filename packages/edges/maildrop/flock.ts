import { childProcess, type Native, native } from "@qmail-mysql/native";
import { pause } from "@qmail-mysql/process";

const LOCK_EX_LOCK_NB = 2 | 4; // sys/file.h
const PAUSE = 25; // milliseconds between tries

export type Locked = "locked" | "busy" | "not lockable";

/**
 * Locks the open file for us alone, as flock(2), which is what other programs that write mboxes use; waits for it
 * at most `seconds`. The lock ends when the descriptor is closed.
 */
export function flock(fd: number, seconds: number): Locked {
  const c = native();
  return c ? byCall(c, fd, seconds) : byProgram(fd, seconds);
}

function byCall(c: Native, fd: number, seconds: number): Locked {
  const end = performance.now() + seconds * 1000;
  while (c.raw("flock", fd, LOCK_EX_LOCK_NB) !== 0) {
    // That the file is not lockable at all is found out by waiting: errno may not be the call's any more.
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

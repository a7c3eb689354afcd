import { childProcess, type Native, native } from "@qmail-mysql/native";
import { pause } from "@qmail-mysql/process";

const LOCK_EX_LOCK_NB = 2 | 4; // sys/file.h
const PAUSE = 25; // milliseconds between tries

export type Locked = "locked" | "busy" | "not lockable";

/**
 * Locks the open file exclusively with flock(2), as other programs that write mboxes do; waits at most `seconds`. The
 * lock is released when the descriptor is closed.
 */
export function flock(fd: number, seconds: number): Locked {
  const c = native();
  return c ? byCall(c, fd, seconds) : byProgram(fd, seconds);
}

function byCall(c: Native, fd: number, seconds: number): Locked {
  const end = performance.now() + seconds * 1000;
  while (c.raw("flock", fd, LOCK_EX_LOCK_NB) !== 0) {
    // errno may be that of a later call, so a file that cannot be locked at all is treated as busy.
    if (performance.now() > end) return "busy";
    pause(PAUSE);
  }
  return "locked";
}

/** A lock belongs to the open file, not to the process, so flock(1) can lock it for this process. */
function byProgram(fd: number, seconds: number): Locked {
  const { status } = childProcess().spawnSync("flock", ["-x", "-w", String(seconds), "-E", "75", "3"], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  return status === 0 ? "locked" : status === 75 ? "busy" : "not lockable";
}

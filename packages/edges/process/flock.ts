import { childProcess, type Native, native } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";
import { pause } from "./io.ts";

const LOCK_EX_LOCK_NB = 2 | 4; // sys/file.h
const UNLOCKABLE = ["EBADF", "EINVAL", "ENOLCK", "ENOTSUP", "EOPNOTSUPP"]; // flock(2)
const PAUSE = 25; // milliseconds between tries

export type Locked = "locked" | "busy" | "not lockable";

/**
 * Locks the open file exclusively with flock(2); waits at most `seconds`. The lock is released when the descriptor is
 * closed.
 */
export function flock(fd: number, seconds: number): Locked {
  const c = native();
  return c ? byCall(c, fd, seconds) : byProgram(fd, seconds);
}

function byCall(c: Native, fd: number, seconds: number): Locked {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    try {
      c.call("flock", fd, LOCK_EX_LOCK_NB);
      return "locked";
    } catch (error) {
      // errno may be that of a later call, so any other failure is treated as a busy file.
      if (UNLOCKABLE.includes(errno(error) ?? "")) return "not lockable";
    }
    if (performance.now() >= end) return "busy";
    pause(PAUSE);
  }
}

/** A lock belongs to the open file, not to the process, so flock(1) can lock it for this process. */
function byProgram(fd: number, seconds: number): Locked {
  const { status } = childProcess().spawnSync(
    "flock",
    ["-x", ...(seconds > 0 ? ["-w", String(seconds)] : ["-n"]), "-E", "75", "3"],
    {
      stdio: ["ignore", "ignore", "ignore", fd],
    },
  );
  return status === 0 ? "locked" : status === 75 ? "busy" : "not lockable";
}

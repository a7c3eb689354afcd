import { closeSync, constants, fchmodSync, fstatSync, openSync } from "node:fs";
import { childProcess } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";

/** A lock that is held. */
export interface FileLock {
  readonly fd: number;
  release(): void;
}

const BUSY = 1; // flock(1): the lock is somebody else's
const MODE = 0o600; // who can open a file can lock it
const OTHERS = 0o077;

/**
 * Takes flock(2) on `path`, waiting at most `seconds`; undefined when another process still has it. Nobody but
 * the owner of the file can take it: a file that others can open is made 0600. The kernel ends the lock with
 * its holder, however that ends, and Linux carries it over NFS. The runtime has no such call: flock(1) locks
 * the open file that it shares with us, which stays locked until we close it. Throws Trouble.
 */
export function lockFile(path: string, seconds: number): FileLock | undefined {
  const fd = openPrivate(path);
  const release = () => closeSync(fd);
  const done = childProcess().spawnSync(
    "flock",
    ["-x", ...(seconds > 0 ? ["-w", String(seconds)] : ["-n"]), "3"],
    {
      stdio: ["ignore", "ignore", "ignore", fd],
      timeout: (seconds + 5) * 1000,
    },
  );
  if (done.status === 0) return { fd, release };
  release();
  if (done.status === BUSY && !done.error) return undefined;
  throw new Trouble(
    `unable to lock ${path}: ${done.error ? reason(done.error) : `flock failed (${done.status ?? done.signal})`}`,
  );
}

function openPrivate(path: string): number {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, MODE);
    if ((fstatSync(fd).mode & OTHERS) !== 0) fchmodSync(fd, MODE);
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw new Trouble(`unable to open ${path}: ${reason(error)}`);
  }
}

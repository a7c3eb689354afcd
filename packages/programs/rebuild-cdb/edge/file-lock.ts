import { closeSync, constants, openSync } from "node:fs";
import { childProcess } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";

/** A lock that is held. */
export interface FileLock {
  readonly fd: number;
  release(): void;
}

const BUSY = 1; // flock(1): the lock is somebody else's

/**
 * Takes flock(2) on `path`, waiting at most `seconds`; undefined when somebody else still has it. The kernel
 * ends it with its holder, however that ends, and Linux carries it over NFS. The runtime has no such call:
 * flock(1) locks the open file we share with it, and what it locked stays locked until we close it.
 */
export function lockFile(path: string, seconds: number): FileLock | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  } catch (error) {
    throw new Trouble(`unable to open ${path}: ${reason(error)}`);
  }
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

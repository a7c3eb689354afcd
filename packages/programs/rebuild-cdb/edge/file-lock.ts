import { closeSync, constants, fchmodSync, fstatSync, openSync } from "node:fs";
import { flock } from "@qmail-mysql/process";
import { reason, Trouble } from "@qmail-mysql/trouble";

/** A lock that is held. */
export interface FileLock {
  readonly fd: number;
  release(): void;
}

const MODE = 0o600; // who can open a file can lock it
const OTHERS = 0o077;

/**
 * Locks `path` with flock(2), waiting at most `seconds`; undefined if another process still has the lock. Only the owner
 * of the file can lock it: a file that others can open is changed to 0600. The kernel releases the lock when its holder
 * ends; Linux supports it over NFS. Throws Trouble.
 */
export function lockFile(path: string, seconds: number): FileLock | undefined {
  const fd = openPrivate(path);
  const release = () => closeSync(fd);
  const locked = flock(fd, seconds);
  if (locked === "locked") return { fd, release };
  release();
  if (locked === "busy") return undefined;
  throw new Trouble(`unable to lock ${path}: the file system has no locks`);
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

import { native, type Status, status } from "@qmail-mysql/native";
import { fromText } from "@qmail-mysql/wire";

// sys/stat.h
const S_ISVTX = 0o1000;
const S_IWGRP = 0o020;
const S_IWOTH = 0o002;
// sys/socket.h, Linux
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED = 12; // bytes: pid, uid, gid

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Root and ourselves: whoever is either of them need not deceive us. */
export function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** Others than the owner, or than accounts of a trusted group, may put their own things there. */
function isOpen({ gid, mode }: Status, trusted: readonly Account[]): boolean {
  if ((mode & (S_IWOTH | S_IWGRP)) === 0) return false;
  return (mode & S_IWOTH) !== 0 || !(gid === 0 || trusted.some((account) => account.gid === gid));
}

/**
 * Why somebody other than root, us and `trusted` could put a socket of theirs at `path`, an absolute one: a directory
 * on the way that is another's or that others may write. Undefined when nobody can. A sticky directory may be on the
 * way to one that nobody else owns, which others cannot replace; it may not hold the socket. Throws with an errno.
 */
export function whyUntrusted(path: string, trusted: readonly Account[]): string | undefined {
  for (let at = path.indexOf("/", 1); at > 0; ) {
    const dir = path.slice(0, at);
    const of = status(fromText(dir));
    if (!isOurs(of.uid) && !trusted.some(({ uid }) => uid === of.uid))
      return `${dir} belongs to uid ${of.uid}`;
    at = path.indexOf("/", at + 1);
    if (isOpen(of, trusted) && (at < 0 || (of.mode & S_ISVTX) === 0)) return `others may write in ${dir}`;
  }
  return undefined;
}

/**
 * Whose socket it is at `path`, by the directory that holds it: only root or we made that directory and may replace it.
 * Throws an error that says why nobody can tell, or with an errno.
 */
export function ownerOfSocket(path: string): number {
  const dir = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  const why = whyUntrusted(dir, []);
  if (why !== undefined) throw new Error(why);
  const { uid, mode } = status(fromText(dir));
  if ((mode & S_IWOTH) !== 0) throw new Error(`others may write in ${dir}`);
  return uid;
}

/**
 * The uid of the process that listens at the other end of a connected unix socket, as it was when it began to:
 * unix(7). Undefined where the runtime has no way to ask. Throws with an errno.
 */
export function listenerUid(fd: number): number | undefined {
  const ucred = new Int32Array(UCRED / 4);
  const c = native();
  if (!c) return undefined;
  c.call("getsockopt", fd, SOL_SOCKET, SO_PEERCRED, ucred, Int32Array.of(UCRED));
  return (ucred[1] ?? 0) >>> 0;
}

import { native, SO_PEERCRED, SOL_SOCKET, type Status, status } from "@qmail-mysql/native";
import { fromText } from "@qmail-mysql/wire";

// sys/stat.h
const S_ISVTX = 0o1000;
const S_IWGRP = 0o020;
const S_IWOTH = 0o002;
const UCRED = 12; // bytes: pid, uid, gid

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Is it root or this process? */
export function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** May accounts other than the owner or those of a trusted group create files there? */
function isOpen({ gid, mode }: Status, trusted: readonly Account[]): boolean {
  if ((mode & (S_IWOTH | S_IWGRP)) === 0) return false;
  return (mode & S_IWOTH) !== 0 || !(gid === 0 || trusted.some((account) => account.gid === gid));
}

/**
 * Why an account other than root, our own and `trusted` could create the socket at `path`, which is absolute: it owns a
 * directory of the path, or may write there. Undefined if none can. A sticky directory is allowed above a directory that
 * is owned by a trusted account, since others cannot replace that, but not as the last one. Throws with an errno.
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
 * The owner of the directory of the socket at `path`, provided that only root or our own account could have created the
 * directory. Otherwise throws an error with the reason. Also throws with an errno.
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
 * The uid of the process at the other end of a connected unix socket when it called listen(2): SO_PEERCRED in unix(7).
 * Undefined if the C library cannot be called. Throws with an errno.
 */
export function listenerUid(fd: number): number | undefined {
  const ucred = new Int32Array(UCRED / 4);
  const c = native();
  if (!c) return undefined;
  c.call("getsockopt", fd, SOL_SOCKET, SO_PEERCRED, ucred, Int32Array.of(UCRED));
  return (ucred[1] ?? 0) >>> 0;
}

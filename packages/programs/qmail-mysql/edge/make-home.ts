import { chmodSync, chownSync, lstatSync, mkdirSync, readlinkSync, type Stats } from "node:fs";
import { childProcess } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;
const MAX_LINKS = 40; // as the kernel's

/**
 * Makes `home`, its parents and its Maildir, owned by uid:gid. Root makes directories only where nobody but
 * root can put or move anything; from the first directory of somebody else on, and inside the home, the user's
 * own rights are used, so that no symbolic link can lead root astray. Throws Trouble.
 */
export function makeHome(home: string, uid: number, gid: number): void {
  const isRoot = process.getuid?.() === 0;
  const { path, owner, rootOnly } = isRoot ? walk(home) : { path: home, owner: undefined, rootOnly: false };
  if (rootOnly && owner === undefined) {
    makeAsRoot(path, uid, gid);
  } else if (owner !== undefined && owner !== uid) {
    throw new Trouble(
      `unable to use home ${home}: it is owned by uid ${owner}; fix: chown ${uid}:${gid} ${home}, or another home`,
    );
  }
  asUser(path, uid, gid, isRoot);
}

/**
 * Follows `home` for as long as only root can change where it leads. Answers the path with root's own symbolic
 * links resolved, the owner when it exists, and whether all directories above it (that exist) are root's alone.
 */
function walk(home: string): { path: string; owner: number | undefined; rootOnly: boolean } {
  let parts = home.split("/").filter((part) => part !== "");
  let at = "";
  let above = lstat("/");
  for (let links = 0; parts.length > 0; ) {
    const path = `${at}/${parts[0]}`;
    const rest = () => [at, ...parts].join("/");
    if (above && !isRootOnly(above)) return { path: rest(), owner: lstat(rest())?.uid, rootOnly: false };
    const here = lstat(path);
    if (!here) return { path: rest(), owner: undefined, rootOnly: true };
    // In a sticky directory anyone may make an entry, but only its owner may move it.
    if (above && (above.mode & STICKY) !== 0 && here.uid !== 0) {
      return { path: rest(), owner: lstat(rest())?.uid, rootOnly: false };
    }
    if (here.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw new Trouble(`unable to use home ${home}: symbolic link loop`);
      const target = readlinkSync(toBuffer(path), "latin1");
      const next = target.startsWith("/") ? target : `${at}/${target}`;
      if (next.split("/").includes(".."))
        throw new Trouble(`unable to use home ${home}: ${path} leads to ${target}`);
      parts = [...next.split("/").filter((part) => part !== "" && part !== "."), ...parts.slice(1)];
      at = "";
      above = lstat("/");
      continue;
    }
    at = path;
    above = here;
    parts = parts.slice(1);
  }
  return { path: at, owner: above?.uid, rootOnly: true };
}

/** Only root can add or move entries; a sticky one everybody may write to counts for entries of root. */
function isRootOnly(dir: Stats): boolean {
  return (
    dir.isDirectory() && dir.uid === 0 && ((dir.mode & WRITABLE_BY_OTHERS) === 0 || (dir.mode & STICKY) !== 0)
  );
}

function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(toBuffer(path));
  } catch (error) {
    if (errno(error) === "ENOENT") return undefined;
    throw new Trouble(`unable to stat ${path}: ${reason(error)}`);
  }
}

/** Parents are root's and searchable by all, as /home is; mkdir fails on whatever appeared meanwhile. */
function makeAsRoot(home: string, uid: number, gid: number): void {
  const parts = home.split("/").filter((part) => part !== "");
  let path = "";
  try {
    for (const [i, part] of parts.entries()) {
      path += `/${part}`;
      if (lstat(path)) continue;
      const mode = i === parts.length - 1 ? 0o700 : 0o755;
      mkdirSync(toBuffer(path), { mode });
      chmodSync(toBuffer(path), mode); // whatever the umask
    }
    chownSync(toBuffer(path), uid, gid);
  } catch (error) {
    throw new Trouble(`unable to create ${path}: ${reason(error)}`);
  }
}

const MAKE =
  'umask 077; for d in "$1" "$1/Maildir" "$1/Maildir/tmp" "$1/Maildir/new" "$1/Maildir/cur"; do [ -d "$d" ] || mkdir -- "$d" || exit; done';

/** What is missing of the home and its Maildir, made with the user's rights. */
function asUser(home: string, uid: number, gid: number, isRoot: boolean): void {
  if (!isRoot && process.getuid?.() !== uid) {
    throw new Trouble(`unable to create ${home} for uid ${uid}: only root and uid ${uid} may`);
  }
  const result = childProcess().spawnSync("/bin/sh", ["-c", MAKE, "sh", toBuffer(home).toString()], {
    ...(isRoot && { uid, gid }),
    cwd: "/",
    env: { PATH: "/bin:/usr/bin", LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 30_000,
  });
  if (result.error) throw new Trouble(`unable to run /bin/sh: ${reason(result.error)}`);
  if (result.status !== 0) {
    const why = reason(result.stderr.toString("latin1"));
    throw new Trouble(
      `unable to create ${home} as uid ${uid}: ${why}; fix: a home that root or uid ${uid} can make`,
    );
  }
}

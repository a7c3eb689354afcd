import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  rmdirSync,
  type Stats,
} from "node:fs";
import { childProcess } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;
const MAX_LINKS = 40; // as in Linux: path_resolution(7)

/** Removes what was created. */
export type Undo = () => void;

/** The location of a home that may not exist yet. */
export interface Place {
  /** The existing directory, with symbolic links of root resolved. */
  readonly existing: string;
  /** The missing directories below it, the home last; empty if the home exists or root must not follow further. */
  readonly missing: readonly string[];
  /** The home, below `existing`. */
  readonly path: string;
  /** The owner of the home, if it exists. */
  readonly owner: number | undefined;
  /** Only root can add or rename entries on the path to it. */
  readonly rootOnly: boolean;
}

/**
 * Creates `home`, its parents and its Maildir, owned by uid:gid. As root it creates directories only where only root
 * can add or rename entries; below the first directory of another user, and inside the home, it uses the access rights
 * of the user, so that a symbolic link cannot misdirect root. Throws Trouble, after removing what it created.
 */
export function makeHome(home: string, uid: number, gid: number): Undo {
  const isRoot = process.getuid?.() === 0;
  const place: Place = isRoot
    ? locate(home)
    : { existing: home, missing: [], path: home, owner: undefined, rootOnly: false };
  if (place.owner !== undefined && place.owner !== uid) {
    throw new Trouble(
      `unable to use home ${home}: it is owned by uid ${place.owner}; fix: chown ${uid}:${gid} ${home}, or another home`,
    );
  }
  const undoRoot = place.rootOnly ? makeMissing(place, uid, gid) : () => {};
  try {
    const undoUser = completeAsUser(place.path, uid, gid, isRoot);
    return () => {
      undoUser();
      undoRoot();
    };
  } catch (error) {
    undoRoot();
    throw error;
  }
}

/** Resolves `home` as far as only root can change what it refers to. Throws Trouble. */
export function locate(home: string): Place {
  let parts = home.split("/").filter(isName);
  let at = "";
  let above = lstat("/");
  const rest = () => [at, ...parts].join("/");
  const beyond = () => ({
    existing: at,
    missing: [],
    path: rest(),
    owner: lstat(rest())?.uid,
    rootOnly: false,
  });
  for (let links = 0; parts.length > 0; ) {
    const path = `${at}/${parts[0]}`;
    if (above && !isRootOnly(above)) return beyond();
    const here = lstat(path);
    if (!here) return { existing: at, missing: parts, path: rest(), owner: undefined, rootOnly: true };
    // In a sticky directory anyone may create an entry, but only its owner may rename it.
    if (above && (above.mode & STICKY) !== 0 && here.uid !== 0) return beyond();
    if (here.isSymbolicLink()) {
      if (++links > MAX_LINKS) throw new Trouble(`unable to use home ${home}: symbolic link loop`);
      const target = readlinkSync(toBuffer(path), "latin1");
      const next = target.startsWith("/") ? target : `${at}/${target}`;
      if (next.split("/").includes(".."))
        throw new Trouble(`unable to use home ${home}: ${path} leads to ${target}`);
      parts = [...next.split("/").filter(isName), ...parts.slice(1)];
      at = "";
      above = lstat("/");
      continue;
    }
    at = path;
    above = here;
    parts = parts.slice(1);
  }
  return { existing: at, missing: [], path: at, owner: above?.uid, rootOnly: true };
}

const isName = (part: string) => part !== "" && part !== ".";

/** Can only root rename the entries of root? True also for a sticky directory. */
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

/**
 * Creates the missing directories as root: parents owned by root and searchable by all, as /home is, and the home. In a
 * sticky directory others can create a missing name at any time: so only directories that this mkdir(2) created are
 * used, and they are changed through a descriptor. Throws Trouble, after removing what it created.
 */
export function makeMissing({ existing, missing }: Place, uid: number, gid: number): Undo {
  const made: string[] = [];
  const undo = () => {
    for (const dir of made.splice(0).reverse()) quietly(() => rmdirSync(toBuffer(dir)));
  };
  let path = existing;
  try {
    for (const [i, name] of missing.entries()) {
      const isHome = i === missing.length - 1;
      path += `/${name}`;
      mkdirSync(toBuffer(path), { mode: 0o700 });
      made.push(path);
      const fd = openSync(toBuffer(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      try {
        fchmodSync(fd, isHome ? 0o700 : 0o755); // whatever the umask
        if (isHome) fchownSync(fd, uid, gid);
      } finally {
        closeSync(fd);
      }
    }
  } catch (error) {
    undo();
    throw new Trouble(`unable to create ${path}: ${reason(error)}`);
  }
  return undo;
}

const PARTS = ["", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"];
// Each script prints what it created, one suffix per line.
const MAKE =
  'umask 077; h=$1; shift; for d do [ -d "$h$d" ] || { mkdir -- "$h$d" && echo "$d"; } || exit; done';
const REMOVE = 'h=$1; shift; for d do rmdir -- "$h$d"; done';

/** Creates what is missing of the home and its Maildir, with the access rights of the user. */
function completeAsUser(home: string, uid: number, gid: number, isRoot: boolean): Undo {
  if (!isRoot && process.getuid?.() !== uid) {
    throw new Trouble(`unable to create ${home} for uid ${uid}: only root and uid ${uid} may`);
  }
  const shell = (script: string, parts: readonly string[]) =>
    childProcess().spawnSync("/bin/sh", ["-c", script, "sh", toBuffer(home).toString(), ...parts], {
      ...(isRoot && { uid, gid }),
      cwd: "/",
      env: { PATH: "/bin:/usr/bin", LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
    });
  const { error, status, stdout, stderr } = shell(MAKE, PARTS);
  const made = (stdout ?? "").toString("latin1").split("\n").slice(0, -1);
  const undo = () => void (made.length > 0 && shell(REMOVE, made.reverse()));
  if (status === 0) return undo;
  undo();
  if (error) throw new Trouble(`unable to run /bin/sh: ${reason(error)}`);
  throw new Trouble(
    `unable to create ${home} as uid ${uid}: ${reason(stderr.toString("latin1"))}; fix: a home that root or uid ${uid} can make`,
  );
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // the directory is no longer empty: it is kept
  }
}

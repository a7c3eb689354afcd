import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { isRoot, writeAll } from "@qmail-mysql/process";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

/** A new file that will replace `path` atomically. */
export interface Replacement {
  readonly path: string;
  write(chunk: Uint8Array): void;
  /** Overwrites the beginning. */
  begin(bytes: Uint8Array): void;
  /** Does a file to replace exist? */
  exists(): boolean;
  /** Does it differ from the existing file? To be called before commit. */
  differs(): boolean;
  /** Syncs it to the disk; nothing is replaced yet. */
  settle(): void;
  /** Replaces the old file. */
  commit(): void;
  /** Removes it. Has no effect after commit. */
  abandon(): void;
}

const MODE = 0o644; // readable by all, whatever the umask
const PIECE = 1 << 20; // bytes compared at a time
const OURS = ".rebuild"; // suffix of temporary names

/**
 * Opens a replacement for `path`, a new file in the same directory, and removes those of killed runs. The caller must
 * hold the lock for `path`. This and all methods throw Trouble.
 */
export function openReplacement(path: string): Replacement {
  const attempt = <T>(verb: string, call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw new Trouble(`unable to ${verb} ${path}: ${reason(error)}`);
    }
  };
  attempt("clean up beside", () => removeLeftOvers(path));
  const temporary = `${path}.${hostname()}.${process.pid}${OURS}`;
  let fd = attempt("write beside", () =>
    openSync(temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, MODE),
  );
  const close = () => {
    if (fd >= 0) closeSync(fd);
    fd = -1;
  };
  return {
    path,
    write: (chunk) => attempt("write", () => writeAll(fd, chunk)),
    begin: (bytes) =>
      attempt("write", () => {
        if (writeSync(fd, bytes, 0, bytes.length, 0) !== bytes.length) throw new Error("short write");
      }),
    exists: () => existsSync(path),
    differs: () => attempt("compare", () => !sameAs(fd, path)),
    settle: () =>
      attempt("write", () => {
        fchmodSync(fd, MODE);
        keepOwner(fd, path);
        fsyncSync(fd);
        close();
      }),
    commit: () => attempt("replace", () => renameSync(temporary, path)),
    abandon: () => {
      close();
      try {
        unlinkSync(temporary);
      } catch {
        // it has already been renamed
      }
    },
  };
}

/** Syncs `directory` to the disk. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function removeLeftOvers(path: string): void {
  const slash = path.lastIndexOf("/");
  const [directory, name] = [path.slice(0, slash + 1), path.slice(slash + 1)];
  for (const entry of readdirSync(directory === "" ? "." : directory)) {
    if (entry.startsWith(`${name}.`) && entry.endsWith(OURS)) unlinkSync(`${directory}${entry}`);
  }
}

/** Keeps the owner of the old file, for example vpopmail, if root replaces it. */
function keepOwner(fd: number, path: string): void {
  const old = statSync(path, { throwIfNoEntry: false });
  if (old && isRoot()) fchownSync(fd, old.uid, old.gid);
}

function sameAs(fd: number, path: string): boolean {
  let old: number;
  try {
    old = openSync(path, "r");
  } catch (error) {
    if (errno(error) === "ENOENT") return false;
    throw error;
  }
  try {
    const [a, b] = [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)];
    for (let at = 0; ; ) {
      const [m, n] = [readSync(fd, a, 0, PIECE, at), readSync(old, b, 0, PIECE, at)];
      if (m !== n || !a.subarray(0, m).equals(b.subarray(0, n))) return false;
      if (m === 0) return true;
      at += m;
    }
  } finally {
    closeSync(old);
  }
}

/** Copies a file atomically. */
export function copyFile(from: string, to: string): void {
  const copy = openReplacement(to);
  try {
    copy.write(readFileSync(from));
    copy.settle();
    copy.commit();
    syncDirectory(dirname(to));
  } finally {
    copy.abandon();
  }
}

/** Do both have the same content? False if one does not exist. */
export function filesEqual(path: string, other: string): boolean {
  const fd = openSync(path, "r");
  try {
    return sameAs(fd, other);
  } finally {
    closeSync(fd);
  }
}

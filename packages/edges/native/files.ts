import { byteString, fromText } from "@qmail-mysql/wire";
import { nodeFs } from "./builtin.ts";
import { cString, type Native, native } from "./native.ts";

// The file operations of every run: by the C library if it can be called, else by node:fs.

const O_RDONLY_CLOEXEC = 0o2000000; // fcntl.h
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
// linux/stat.h; the indices are those of 32-bit words, of which stx_mode is the lower half of one
const STATX_BASIC_STATS = 0x7ff;
const STATX_WORDS = 64;
const UID = 5;
const GID = 6;
const MODE = 7;
const PIECE = 4096;

/** Opens a file for reading; its name is text. Throws with an errno. */
export function openToRead(file: string): number {
  return native()?.call("open", cString(fromText(file)), O_RDONLY_CLOEXEC, 0) ?? nodeFs().openSync(file, "r");
}

/** The contents of a file as a byte string; its name is text. Throws with an errno. */
export function readWhole(file: string): string {
  const c = native();
  return c ? readAll(c, openToRead(file)) : nodeFs().readFileSync(file, "latin1");
}

function readAll(c: Native, fd: number): string {
  try {
    const piece = new Uint8Array(PIECE);
    for (let all = ""; ; ) {
      const n = c.call("read", fd, piece, PIECE);
      if (n === 0) return all;
      all += byteString(piece, n);
    }
  } finally {
    c.call("close", fd);
  }
}

export interface Status {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** stat(2) of a file, its name a byte string, or fstat(2) of a descriptor. Throws with an errno. */
export function status(of: string | number): Status {
  const c = native();
  if (!c) {
    return typeof of === "number" ? nodeFs().fstatSync(of) : nodeFs().statSync(Buffer.from(of, "latin1"));
  }
  const into = new Uint32Array(STATX_WORDS);
  if (typeof of === "number") c.call("statx", of, cString(""), AT_EMPTY_PATH, STATX_BASIC_STATS, into);
  else c.call("statx", AT_FDCWD, cString(of), 0, STATX_BASIC_STATS, into);
  return { uid: into[UID] ?? 0, gid: into[GID] ?? 0, mode: (into[MODE] ?? 0) & 0xffff };
}

const INO = 8;
const SIZE = 10;
const CTIME = 24; // seconds in 64 bits, nanoseconds
const MTIME = 28;
const DEV = 34;

/** Tells whether files have changed, or have come or gone. */
export interface Versions {
  /**
   * Looks at the files; false if one is not as it was at the look before, or if that cannot be told. Inode, size and
   * times are compared.
   */
  areSame(): boolean;
  /** Seconds since the epoch of the last change that the last look has found; Infinity if that cannot be told. */
  changed(): number;
}

/** The names of the files are text. */
export function versionsOf(files: readonly string[]): Versions {
  const c = native();
  if (!c) return { areSame: () => false, changed: () => Number.POSITIVE_INFINITY };
  const names = files.map((file) => cString(fromText(file)));
  const words = [DEV, DEV + 1, INO, INO + 1, SIZE, SIZE + 1]; // of struct statx
  for (const time of [CTIME, MTIME]) words.push(time, time + 1, time + 2);
  const seen = names.map(() => new Uint32Array(words.length));
  const into = new Uint32Array(STATX_WORDS);
  let isKnown = false;
  let changed = 0;
  const look = (name: Uint8Array, before: Uint32Array): boolean => {
    const isThere = c.raw("statx", AT_FDCWD, name, 0, STATX_BASIC_STATS, into) === 0;
    if (!isThere && c.failureCode() !== "ENOENT") isKnown = false;
    if (!isThere) into.fill(0);
    changed = Math.max(changed, into[CTIME] ?? 0);
    let isSame = true;
    for (let i = 0; i < words.length; i++) {
      const word = into[words[i] as number] as number;
      if (before[i] !== word) isSame = false;
      before[i] = word;
    }
    return isSame;
  };
  return {
    areSame() {
      const wasKnown = isKnown;
      isKnown = true;
      changed = 0;
      let areSame = true;
      for (let i = 0; i < names.length; i++) {
        if (!look(names[i] as Uint8Array, seen[i] as Uint32Array)) areSame = false;
      }
      return areSame && isKnown && wasKnown;
    },
    changed: () => (isKnown ? changed : Number.POSITIVE_INFINITY),
  };
}

const S_IFMT = 0o170000; // sys/stat.h
const S_IFREG = 0o100000;

/** Is it a regular file? Its name is a byte string. Throws with an errno. */
export function isFile(file: string): boolean {
  return (status(file).mode & S_IFMT) === S_IFREG;
}

/** write(2). Throws with an errno. */
export function writeSome(fd: number, bytes: Uint8Array): number {
  return native()?.call("write", fd, bytes, bytes.length) ?? nodeFs().writeSync(fd, bytes);
}

export function closeFd(fd: number): void {
  const c = native();
  if (c) c.call("close", fd);
  else nodeFs().closeSync(fd);
}

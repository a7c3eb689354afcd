import { readdirSync, statSync } from "node:fs";
import { closeFd, type Native, native, openToRead } from "@qmail-mysql/native";
import type { Steps } from "@qmail-mysql/steps";
import { toBuffer, toText } from "@qmail-mysql/wire";

/** A regular file in a directory; valid during the call that it is given to. Times are seconds. */
export interface Found {
  /** Its name are the bytes from `start` to `end`. */
  source: Buffer;
  start: number;
  end: number;
  mtime: number;
  atime: number;
  size: number;
}

/**
 * Calls back with the regular files in a directory, a byte string, except those with a leading dot; yields in between.
 * A file that is removed meanwhile is left out. Throws if the directory cannot be read.
 */
export function* listed(dir: string, found: (file: Found) => void): Steps<void> {
  const c = native();
  if (c && toText(dir) !== undefined) yield* listedByC(c, dir, found);
  else yield* listedByRuntime(dir, found);
}

const PIECE = 32_768; // bytes of entries that are read at once
const DOT = 0x2e;
// struct linux_dirent64
const LENGTH = 16;
const NAME = 19;
// linux/stat.h: the bits of stx_mask, and the indices of 32-bit words
const TYPE_TIMES_SIZE = 0x1 | 0x20 | 0x40 | 0x200;
const WORDS = 64;
const MODE = 7;
const SIZE = 10;
const ATIME = 16;
const MTIME = 28;
const HIGH = 2 ** 32;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** With getdents64(2) and statx(2): no list of all names, and no path for each file. */
function* listedByC(c: Native, dir: string, found: (file: Found) => void): Steps<void> {
  const fd = openToRead(toText(dir) as string);
  try {
    const source = Buffer.from(new ArrayBuffer(PIECE));
    const at = c.address(source);
    const stat = new Uint32Array(new ArrayBuffer(4 * WORDS));
    const signed = new Int32Array(stat.buffer);
    const time = (word: number) => (signed[word + 1] as number) * HIGH + (stat[word] as number);
    const file: Found = { source, start: 0, end: 0, mtime: 0, atime: 0, size: 0 };
    for (;;) {
      const bytes = c.call("getdents64", fd, source, PIECE);
      if (bytes === 0) return;
      for (let entry = 0; entry < bytes; entry += source.readUInt16LE(entry + LENGTH)) {
        const start = entry + NAME;
        if (source[start] === DOT) continue;
        if (c.raw("statx", fd, at + start, 0, TYPE_TIMES_SIZE, stat) !== 0) continue;
        if (((stat[MODE] as number) & S_IFMT) !== S_IFREG) continue;
        file.start = start;
        file.end = source.indexOf(0, start);
        file.mtime = time(MTIME);
        file.atime = time(ATIME);
        file.size = time(SIZE);
        found(file);
      }
      yield undefined;
    }
  } finally {
    closeFd(fd);
  }
}

const PER_TURN = 256; // files between two yields

function* listedByRuntime(dir: string, found: (file: Found) => void): Steps<void> {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  let turn = 0;
  for (const source of readdirSync(toBuffer(dir), "buffer")) {
    if (source[0] === DOT) continue;
    if (++turn % PER_TURN === 0) yield undefined;
    const stat = look(toBuffer(`${dir}/${source.toString("latin1")}`));
    if (!stat?.isFile()) continue;
    const { mtimeMs, atimeMs, size } = stat;
    const times = { mtime: seconds(mtimeMs), atime: seconds(atimeMs), size };
    found({ source, start: 0, end: source.length, ...times });
  }
}

function look(file: Buffer) {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined; // it may have been removed
  }
}

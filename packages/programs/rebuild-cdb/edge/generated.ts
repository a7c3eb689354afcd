import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fileLines } from "@qmail-mysql/control-files";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import type { Replacement } from "./replacement.ts";

const MARK = "# rebuild-cdb:";
const MARK_LINE = /^# rebuild-cdb: (\d+) rows, sha256 ([0-9a-f]{64})$/;
const MARK_ROOM = 128; // bytes: maximum length of the last line
const BUFFER = 1 << 18;

/** The origin of the file at the path of a target. */
export type Origin =
  | { readonly kind: "absent" | "edited" | "theirs" }
  | { readonly kind: "ours"; readonly rows: number; readonly sha256: string };

/** A text written by this program; its last line marks it and contains a checksum to detect later edits. */
export interface GeneratedText {
  line(line: string): void;
  /** Writes the last line, with the number of rows of the database. */
  finish(rows: number): void;
}

export function generatedText(file: Replacement): GeneratedText {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(BUFFER);
  let used = 0;
  const flush = () => {
    const chunk = buffer.subarray(0, used);
    hash.update(chunk);
    file.write(chunk);
    used = 0;
  };
  const put = (line: string) => {
    if (used + line.length + 1 > BUFFER) flush();
    if (line.length + 1 > BUFFER) throw new Trouble(`unable to write ${file.path}: a line is too long`);
    used += buffer.write(line, used, "latin1");
    buffer[used++] = 0x0a;
  };
  return {
    line: put,
    finish(rows) {
      flush();
      put(`${MARK} ${rows} rows, sha256 ${hash.digest("hex")}`);
      file.write(buffer.subarray(0, used));
    },
  };
}

/** Is this line of a source a last line of this program, from a copied file? */
export const isMark = (line: string): boolean => line.startsWith(MARK);

/** The origin of the file at `path`, by its last line; isIntact() checks whether it is unchanged. */
export function originOf(path: string): Origin {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errno(error) === "ENOENT") return { kind: "absent" };
    throw new Trouble(`unable to read ${path}: ${reason(error)}`);
  }
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, MARK_ROOM));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const last = tail.toString("latin1").replace(/\n$/, "");
    const match = MARK_LINE.exec(last.slice(last.lastIndexOf("\n") + 1));
    if (match) return { kind: "ours", rows: Number(match[1]), sha256: match[2] ?? "" };
  } finally {
    closeSync(fd);
  }
  // Lines appended after our last line do not change the origin.
  for (const line of fileLines(path)) if (isMark(line)) return { kind: "edited" };
  return { kind: "theirs" };
}

/** Is everything before our last line unchanged? */
export function isIntact(path: string, sha256: string): boolean {
  const fd = openSync(path, "r");
  try {
    const text = fstatSync(fd).size - markLength(fd);
    const hash = createHash("sha256");
    const piece = Buffer.allocUnsafe(1 << 20);
    for (let at = 0; at < text; ) {
      const n = readSync(fd, piece, 0, Math.min(piece.length, text - at), at);
      if (n === 0) return false;
      hash.update(piece.subarray(0, n));
      at += n;
    }
    return hash.digest("hex") === sha256;
  } finally {
    closeSync(fd);
  }
}

function markLength(fd: number): number {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(size, MARK_ROOM));
  readSync(fd, tail, 0, tail.length, size - tail.length);
  return tail.length - tail.lastIndexOf(MARK);
}

import { closeSync, openSync, readSync } from "node:fs";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";

const PIECE = 1 << 18; // bytes read at a time
const LONGEST = 1 << 16; // bytes of a line

/** The lines of a file as byte strings, without LF; none if the file does not exist. Throws Trouble. */
export function* fileLines(path: string): Generator<string> {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errno(error) === "ENOENT") return;
    throw new Trouble(`unable to read ${path}: ${reason(error)}`);
  }
  try {
    const piece = Buffer.allocUnsafe(PIECE);
    let rest = "";
    for (;;) {
      const n = read(fd, piece, path);
      const lines = (rest + piece.toString("latin1", 0, n)).split("\n");
      rest = n === 0 ? "" : (lines.pop() ?? "");
      if (rest.length > LONGEST)
        throw new Trouble(`unable to use ${path}: a line of more than ${LONGEST} bytes`);
      if (n === 0 && lines.at(-1) === "") lines.pop();
      yield* lines;
      if (n === 0) return;
    }
  } finally {
    closeSync(fd);
  }
}

function read(fd: number, piece: Buffer, path: string): number {
  try {
    return readSync(fd, piece);
  } catch (error) {
    throw new Trouble(`unable to read ${path}: ${reason(error)}`);
  }
}

/** Reads bytes into `buffer` and returns their number; 0 at the end of input. */
export type ReadSome = (buffer: Buffer) => Promise<number>;

/** Bytes; a longer line is not a command. A login and a password of 512 bytes each fit. */
export const MAX_LINE = 4096;

/** Returned once for a line that is too long; the rest of the line is skipped. */
export const TOO_LONG = Symbol("too long");

/**
 * Returns the lines of a connection, without their LF; undefined at its end, also after a part of a line. Reads
 * `atOnce` bytes at a time: with 1, what follows a line remains unread for the next program.
 */
export function lineInput(
  read: ReadSome,
  atOnce: number,
): () => Promise<string | typeof TOO_LONG | undefined> {
  const buffer = Buffer.alloc(atOnce);
  let unread = buffer.subarray(0, 0);
  let skipping = false;
  return async () => {
    let line = "";
    for (;;) {
      if (unread.length === 0) {
        const n = await read(buffer);
        if (n === 0) return undefined;
        unread = buffer.subarray(0, n);
      }
      const end = unread.indexOf(0x0a);
      const part = end < 0 ? unread : unread.subarray(0, end);
      unread = unread.subarray(end < 0 ? unread.length : end + 1);
      if (!skipping) line += part.toString("latin1");
      if (end >= 0) {
        if (!skipping) return line.length > MAX_LINE ? TOO_LONG : line;
        skipping = false;
      } else if (!skipping && line.length > MAX_LINE) {
        skipping = true;
        return TOO_LONG;
      }
    }
  };
}

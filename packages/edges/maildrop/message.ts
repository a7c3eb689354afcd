import { readSync } from "node:fs";
import { type Failure, temporary } from "@qmail-mysql/delivery";
import { errno, reason } from "@qmail-mysql/trouble";

const PIECE = 65536;

/**
 * The message on a descriptor, from its beginning, whatever the current offset, which is shared with other processes and
 * not changed. Throws Failure. Each piece is valid until the next one is requested.
 */
export function* message(fd: number): Generator<Buffer> {
  const piece = Buffer.allocUnsafe(PIECE);
  for (let at = 0; ; ) {
    let n: number;
    try {
      n = readSync(fd, piece, 0, PIECE, at);
    } catch (error) {
      if (errno(error) === "EINTR") continue;
      if (errno(error) === "ESPIPE") throw cannotRewind();
      throw temporary(`Unable to read message: ${reason(error)}. (#4.3.0)`);
    }
    if (n === 0) return;
    yield piece.subarray(0, n);
    at += n;
  }
}

export function cannotRewind(): Failure {
  return temporary("Unable to rewind message. (#4.3.0)");
}

const LF = 0x0a;

/**
 * Does the header of a message contain exactly this line? The header ends with an empty line; a last line without a
 * line end is ignored. Only one piece of the message is in memory at a time, however long its lines are.
 */
export function headerHolds(message: Iterable<Uint8Array>, line: string): boolean {
  let begun = ""; // the beginning of the current line, at most one byte longer than `line`
  for (const piece of message) {
    for (let at = 0; at < piece.length; ) {
      const end = piece.indexOf(LF, at);
      const stop = end < 0 ? piece.length : end + 1;
      const wanted = line.length + 1 - begun.length;
      begun += latin1(piece.subarray(at, Math.min(stop, at + wanted)));
      if (end >= 0) {
        if (begun === "\n") return false;
        if (begun === line) return true;
        begun = "";
      }
      at = stop;
    }
  }
  return false;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

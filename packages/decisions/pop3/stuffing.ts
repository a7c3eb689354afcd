const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** After the last line: qmail-pop3d sends an empty line before the final dot. */
const END = "\r\n.\r\n";

export interface Stuffing {
  /** What to send for the next piece of the message; valid until the next call. */
  push(piece: Uint8Array): Uint8Array;
  /** Is all said that TOP asked for? */
  done(): boolean;
  /** What to send at the end of the message. */
  end(): string;
}

/**
 * A message for RETR and TOP, piece by piece: every LF becomes CR LF, a dot at the start of a line is
 * doubled, nothing else changes. With `lines`, the header, the empty line and so many lines of the body.
 */
export function stuffing(lines?: number): Stuffing {
  let left = lines ?? Number.POSITIVE_INFINITY;
  let inHeader = true;
  let atStart = true;
  let done = false;
  let out = Buffer.alloc(0);
  return {
    push(piece) {
      // At worst, all line feeds or all dots at line starts, a byte becomes two.
      if (out.length < 2 * piece.length) out = Buffer.allocUnsafe(2 * piece.length);
      let n = 0;
      for (let i = 0; i < piece.length && !done; i++) {
        const byte = piece[i] as number;
        if (atStart) {
          if (!inHeader && left-- <= 0) {
            done = true;
            break;
          }
          if (byte === LF) inHeader = false;
          else if (byte === DOT) out[n++] = DOT;
          atStart = false;
        }
        if (byte === LF) {
          out[n++] = CR;
          atStart = true;
        }
        out[n++] = byte;
      }
      return out.subarray(0, n);
    },
    done: () => done,
    end: () => (atStart ? END : `\r\n${END}`),
  };
}

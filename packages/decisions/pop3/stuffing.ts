const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Sent after the last line: like qmail-pop3d, an empty line before the final dot. */
const END = "\r\n.\r\n";

export interface Stuffing {
  /** Returns what to send for the next piece of the message; valid until the next call. */
  push(piece: Uint8Array): Uint8Array;
  /** Have all the lines that TOP requested been returned? */
  done(): boolean;
  /** Returns what to send at the end of the message. */
  end(): string;
}

/**
 * Converts a message for RETR and TOP, piece by piece: every LF becomes CR LF, and a dot at the beginning of a line is
 * doubled. With `lines`, only the header, the empty line and this number of lines of the body.
 */
export function stuffing(lines?: number): Stuffing {
  let left = lines ?? Number.POSITIVE_INFINITY;
  let inHeader = true;
  let atStart = true;
  let done = false;
  let out = Buffer.alloc(0);
  return {
    push(piece) {
      // A byte becomes at most two.
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

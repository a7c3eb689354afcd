import { ask, type Maybe, type Steps } from "@qmail-mysql/steps";

/** Port: the next bytes of a connection, valid until the next call; none at its end. */
export type ReadSome = () => Maybe<Uint8Array>;

/** Bytes; a longer line is not a command. A login and a password of 512 bytes each fit. */
export const MAX_LINE = 4096;

/** Returned once for a line that is too long; the rest of the line is skipped. */
export const TOO_LONG = Symbol("too long");

const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

/** The lines of a connection. */
export class LineInput {
  readonly #read: ReadSome;
  #unread: Buffer;
  #isSkipping = false;

  /** `unread` is what another program has read and not used. */
  constructor(read: ReadSome, unread: Uint8Array = NOTHING) {
    this.#read = read;
    this.#unread = asBuffer(unread);
  }

  /** The next line without its LF; undefined at the end of the connection, also after a part of a line. */
  *next(): Steps<string | typeof TOO_LONG | undefined> {
    let line = "";
    for (;;) {
      if (this.#unread.length === 0) {
        this.#unread = asBuffer(yield* ask(this.#read));
        if (this.#unread.length === 0) return undefined;
      }
      const end = this.#unread.indexOf(LF);
      const part = end < 0 ? this.#unread : this.#unread.subarray(0, end);
      this.#unread = this.#unread.subarray(end < 0 ? this.#unread.length : end + 1);
      if (!this.#isSkipping) line += part.toString("latin1");
      if (end >= 0) {
        if (!this.#isSkipping) return line.length > MAX_LINE ? TOO_LONG : line;
        this.#isSkipping = false;
      } else if (!this.#isSkipping && line.length > MAX_LINE) {
        this.#isSkipping = true;
        return TOO_LONG;
      }
    }
  }

  /** What was read and not used, which is then forgotten. */
  rest(): Uint8Array {
    const rest = this.#unread;
    this.#unread = NOTHING;
    return rest;
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

import { countByte, countWhole, type Hops, newHops } from "./hops.ts";

const NUL = 0;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Where the decoder is, named after the bytes that it has not passed on yet or that began the line: qmail-smtpd.c. */
type State = "text" | "line start" | "dot" | "dot CR" | "CR";

/** The decoder of a message that arrives after DATA. */
export interface MessageText {
  state: State;
  readonly hops: Hops;
  /** It has a NUL, or a CR without LF. */
  hasStray: boolean;
}

export const newMessageText = (): MessageText => ({
  state: "line start",
  hops: newHops(),
  hasStray: false,
});

/** A part of a message, decoded. */
export interface Decoded {
  /** Its lines end with LF, and the dot that was added at the beginning of a line is removed. */
  readonly bytes: Uint8Array;
  /** The number of bytes of the input that belong to the message. */
  readonly used: number;
  /** "end": the final dot was received. "LF": an LF without CR, after which nothing is decoded. */
  readonly outcome: "more" | "end" | "LF";
}

/**
 * Decodes the next bytes, as blast in qmail-smtpd.c: the message ends only at CR LF . CR LF, and an LF without CR is not
 * accepted anywhere, since other programs would see another end.
 */
export function decode(text: MessageText, input: Uint8Array): Decoded {
  const out = new Uint8Array(input.length + 2); // at most a dot and a CR were kept
  let n = 0;
  let at = 0;
  const done = (outcome: Decoded["outcome"]): Decoded => ({ bytes: out.subarray(0, n), used: at, outcome });
  while (at < input.length) {
    if (text.state === "line start") {
      const end = copyLine(input, at, out, n);
      if (end > 0) {
        if (text.hops.isInHeader) countWhole(text.hops, input, at, end);
        n += end - 1 - at;
        at = end;
        continue;
      }
    }
    const byte = input[at++] as number;
    if (text.hops.isInHeader) countByte(text.hops, byte);
    const passed = next(text, byte);
    if (typeof passed === "string") return done(passed);
    for (const each of passed) out[n++] = each;
  }
  return done("more");
}

/**
 * Copies a line that needs no decoding but for its line end; returns its end, or 0 if it is not complete or has something
 * special. A loop: on lines as short as those of mail it is faster than to search and to copy by calls.
 */
function copyLine(input: Uint8Array, at: number, out: Uint8Array, n: number): number {
  if (input[at] === DOT) return 0;
  for (let i = at; i < input.length; i++) {
    const byte = input[i] as number;
    if (byte === LF || byte === NUL) return 0;
    if (byte === CR) {
      if (input[i + 1] !== LF) return 0;
      out[n + i - at] = LF;
      return i + 2;
    }
    out[n + i - at] = byte;
  }
  return 0;
}

const NOTHING: readonly number[] = [];

/** The bytes that are passed on after the next byte, or how the message ended. */
function next(text: MessageText, byte: number): readonly number[] | "end" | "LF" {
  const { state } = text;
  if (byte === NUL) text.hasStray = true;
  if (state === "dot CR") {
    if (byte === LF) return "end";
    text.hasStray = true;
    text.state = byte === CR ? "CR" : "text";
    return byte === CR ? [DOT, CR] : [DOT, CR, byte];
  }
  if (state === "CR") {
    if (byte === LF) {
      text.state = "line start";
      return [LF];
    }
    text.hasStray = true;
    if (byte !== CR) text.state = "text";
    return byte === CR ? [CR] : [CR, byte];
  }
  if (byte === LF) return "LF";
  if (byte === CR) {
    text.state = state === "dot" ? "dot CR" : "CR";
    return NOTHING;
  }
  if (byte === DOT && state === "line start") {
    text.state = "dot";
    return NOTHING;
  }
  text.state = "text";
  return [byte];
}

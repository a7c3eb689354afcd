const RECEIVED = "received";
const DELIVERED = "delivered";
const LF = 0x0a;
const CR = 0x0d;

/** Messages with as many header fields of this kind are looping: qmail-smtpd.c. */
export const MAX_HOPS = 100;

/** Counts the lines of a header that begin with "received" or "delivered", as blast in qmail-smtpd.c. */
export interface Hops {
  count: number;
  isInHeader: boolean;
  /** Bytes since the beginning of the line, as far as they matter. */
  readonly line: number[];
}

export const newHops = (): Hops => ({ count: 0, isInHeader: true, line: [] });

/** Counts the next byte of the header, as it was received. */
export function countByte(hops: Hops, byte: number): void {
  const { line } = hops;
  if (line.length < DELIVERED.length) {
    line.push(byte);
    countLine(hops, line);
  }
  if (byte === LF) line.length = 0;
}

/** Counts a whole line at `at`, at the beginning of a line. */
export function countWhole(hops: Hops, bytes: Uint8Array, at: number, end: number): void {
  const first = bytes[at];
  if (first === CR) {
    if (end - at === 2) hops.isInHeader = false;
  } else if (begins(bytes, at, RECEIVED) || begins(bytes, at, DELIVERED)) hops.count++;
}

function countLine(hops: Hops, line: readonly number[]): void {
  if (line.length === RECEIVED.length && begins(line, 0, RECEIVED)) hops.count++;
  else if (line.length === DELIVERED.length && begins(line, 0, DELIVERED)) hops.count++;
  else if (line.length === 2 && line[0] === CR && line[1] === LF) hops.isInHeader = false;
}

/** Compares with a word in either case. */
function begins(bytes: ArrayLike<number>, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[at + i] ?? 0;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (lower !== word.charCodeAt(i)) return false;
  }
  return true;
}

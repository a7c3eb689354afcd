/**
 * Addresses, names and paths are byte strings: each character is one byte (latin1), as in qmail. They are converted to
 * text only where it is required: by the SQL drivers.
 */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a byte string. */
export function toBuffer(bytes: string): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** Converts text, from a driver or argv, to the byte string of its UTF-8 encoding. */
export function fromText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** Decodes a byte string as UTF-8; undefined if it is not valid UTF-8. */
export function toText(bytes: string): string | undefined {
  if (isAscii(bytes)) return bytes;
  try {
    return utf8.decode(toBuffer(bytes));
  } catch {
    return undefined;
  }
}

export function isAscii(s: string): boolean {
  return /^[\0-\x7f]*$/.test(s);
}

/** Lower case for ASCII only, as case_lowers in qmail: Unicode's would convert the Kelvin sign (U+212A) to k. */
export function lower(s: string): string {
  return s.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/** Fields terminated by NUL, as printed by qmail-getpw and read by checkpassword. */
export function nulEnded(fields: readonly (string | number)[]): string {
  return fields.map((field) => `${field}\0`).join("");
}

/** The fields of such a string; undefined if the last one is not terminated. */
export function nulFields(bytes: string): string[] | undefined {
  if (bytes === "") return [];
  return bytes.endsWith("\0") ? bytes.slice(0, -1).split("\0") : undefined;
}

const PIECE = 8192; // arguments per call of fromCharCode

/** The first `n` bytes as a byte string. Loading Buffer would take longer. */
export function byteString(bytes: Uint8Array, n: number): string {
  let all = "";
  for (let at = 0; at < n; at += PIECE) {
    const piece = bytes.subarray(at, Math.min(at + PIECE, n));
    all += String.fromCharCode.apply(undefined, piece as unknown as number[]);
  }
  return all;
}

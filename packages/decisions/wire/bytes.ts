/**
 * Addresses, names and paths are byte strings: one character, one byte (latin1), as qmail has them.
 * They become text only where another program insists on text: at the SQL drivers.
 */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a byte string. */
export function toBuffer(bytes: string): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** Text, as a driver or argv gives it, to the byte string of its UTF-8 form. */
export function fromText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The text a byte string spells in UTF-8; undefined when it is not UTF-8 and so has no exact text. */
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

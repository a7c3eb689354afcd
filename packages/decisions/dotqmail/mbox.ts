/**
 * A message as written to an mbox: a line that begins with any number of >, then "From ", gets one more >; a last line
 * without a line end gets one; an empty line follows. Yields byte strings, piece by piece.
 */
export function* mboxQuoted(message: Iterable<Uint8Array>): Generator<string> {
  let fresh = true; // the line consists of > so far
  let held = ""; // "F" to "From" after that, not yet written: it may become "From "
  let last = "\n";
  for (const piece of message) {
    const text = held + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1");
    const begins = fresh ? /(^|\n)(>*From )/g : /(\n)(>*From )/g;
    const line = text.slice(text.lastIndexOf("\n") + 1);
    const open: RegExpExecArray | null =
      fresh || line.length < text.length ? /^>*(F(?:r(?:om?)?)?)?$/.exec(line) : null;
    fresh = open !== null;
    held = open?.[1] ?? "";
    const done = held === "" ? text : text.slice(0, -held.length);
    if (text !== "") last = text.slice(-1);
    if (done !== "") yield done.replace(begins, "$1>$2");
  }
  yield `${held}${last === "\n" ? "" : "\n"}\n`;
}

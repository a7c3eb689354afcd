/** A value as a terminal may have it: what a row holds cannot move the cursor or colour the screen. */
export function printable(value: string): string {
  return value.replace(/[\0-\x1f\x7f]/g, "?");
}

/** Rows under their headings, in columns two blanks apart; `bold` dresses the headings. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  bold: (text: string) => string,
): string {
  const cells = rows.map((row) => row.map((value) => printable(value) || "-"));
  const widths = headings.map((heading, i) =>
    cells.reduce((width, row) => Math.max(width, columns(row[i] ?? "")), heading.length),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell + " ".repeat(Math.max((widths[i] ?? 0) - columns(cell), 0)))
      .join("  ")
      .trimEnd();
  return [bold(line(headings)), ...cells.map(line)].map((text) => `${text}\n`).join("");
}

/** What a value takes on the screen: of a byte string's UTF-8, the first byte of each character counts. */
function columns(cell: string): number {
  return cell.replace(/[\x80-\xbf]/g, "").length;
}

/** A document of byte strings as JSON in UTF-8, itself a byte string. */
export function json(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === "string" ? Buffer.from(part, "latin1").toString("utf8") : part),
    2,
  );
  return `${Buffer.from(text, "utf8").toString("latin1")}\n`;
}

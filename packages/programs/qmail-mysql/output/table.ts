/** A value without control characters, so that a row cannot control the terminal. */
export function printable(value: string): string {
  return value.replace(/[\0-\x1f\x7f]/g, "?");
}

/** A table with headings, its columns separated by two blanks; `bold` is applied to the headings. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  bold: (text: string) => string,
): string {
  const layout = tableLayout(headings);
  for (const row of rows) layout.measure(row);
  return [bold(layout.line(headings)), ...rows.map(layout.line)].map((text) => `${text}\n`).join("");
}

/** A table whose rows are passed one by one, twice: first to measure the columns, then to format them. */
export function tableLayout(headings: readonly string[]): {
  measure(row: readonly string[]): void;
  line(row: readonly string[]): string;
} {
  const widths = headings.map((heading) => heading.length);
  const cell = (row: readonly string[], i: number) => printable(row[i] ?? "") || "-";
  return {
    measure(row) {
      for (const i of widths.keys()) widths[i] = Math.max(widths[i] ?? 0, columns(cell(row, i)));
    },
    line: (row) =>
      widths
        .map((width, i) => cell(row, i) + " ".repeat(Math.max(width - columns(cell(row, i)), 0)))
        .join("  ")
        .trimEnd(),
  };
}

/** The width of a value on the screen: the number of UTF-8 characters of a byte string. */
function columns(cell: string): number {
  return cell.replace(/[\x80-\xbf]/g, "").length;
}

/** Formats values with byte strings as JSON in UTF-8, itself a byte string. */
export function json(value: unknown): string {
  return `${spelt(value)}\n`;
}

function spelt(value: unknown): string {
  const text = JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === "string" ? Buffer.from(part, "latin1").toString("utf8") : part),
    2,
  );
  return Buffer.from(text, "utf8").toString("latin1");
}

const CHUNK = 65_536; // bytes written at a time

/** Buffers output. */
export function buffered(print: (text: string) => void): { add(text: string): void; end(): void } {
  let text = "";
  const flush = () => {
    print(text);
    text = "";
  };
  return {
    add(piece) {
      text += piece;
      if (text.length >= CHUNK) flush();
    },
    end: flush,
  };
}

/** Prints a JSON array whose elements are added one by one. */
export function jsonArray(print: (text: string) => void): { add(value: unknown): void; end(): void } {
  const out = buffered(print);
  let before = "[";
  return {
    add(value) {
      out.add(`${before}\n  ${spelt(value).replaceAll("\n", "\n  ")}`);
      before = ",";
    },
    end() {
      out.add(before === "[" ? "[]\n" : "\n]\n");
      out.end();
    },
  };
}

import { fromText } from "@qmail-mysql/wire";

/** A row: columns by lower-case name, every value as a byte string, NULL as "". */
export type Row = Readonly<Record<string, string>>;

/** A value in a statement. */
export type Value = string | number;

/** Converts a driver's row to byte strings: text to UTF-8, numbers to decimal, NULL to ""; binary columns unchanged. */
export function toRow(raw: Readonly<Record<string, unknown>>): Row {
  const row: Record<string, string> = {};
  for (const [column, value] of Object.entries(raw)) row[column.toLowerCase()] = toBytes(value);
  return row;
}

/** Converts one value to a byte string. */
export function toBytes(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return fromText(String(value));
}

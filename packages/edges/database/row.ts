import { fromText } from "@qmail-mysql/wire";
import type { Row } from "./database.ts";

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

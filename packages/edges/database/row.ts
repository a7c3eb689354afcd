import { fromText } from "@qmail-mysql/wire";
import type { Row } from "./database.ts";

/** A driver's row as byte strings: text as UTF-8, binary columns as they are, numbers in decimal, NULL as "". */
export function toRow(raw: Readonly<Record<string, unknown>>): Row {
  const row: Record<string, string> = {};
  for (const [column, value] of Object.entries(raw)) row[column.toLowerCase()] = toBytes(value);
  return row;
}

/** One value as a byte string. */
export function toBytes(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return fromText(String(value));
}

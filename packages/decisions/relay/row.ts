import { formatIp, type Ip, ipWords, parseIp } from "@qmail-mysql/wire";
import { type Netblock, parseNetblock } from "./netblock.ts";

/** A row of a relay table. */
export interface RelayRow {
  /** The text in the table: an address or a netblock. */
  readonly client: string;
  /** Time of the last login, in seconds since 1970; undefined if the row does not expire. */
  readonly time: number | undefined;
  /** Who logged in, if the table contains it. */
  readonly user: string | undefined;
}

/** Rows, and the time by the clock of the database, so that the clocks of other hosts do not matter. */
export interface RelayRows {
  readonly rows: readonly RelayRow[];
  readonly now: number;
}

/**
 * Seconds for which a row is still valid: Infinity without limit, 0 if it has expired. The patch compares
 * `timestamp > now - time`: a row that is exactly `time` seconds old has expired.
 */
export function secondsLeft(row: RelayRow, now: number, time: number): number {
  return row.time === undefined ? Infinity : Math.max(row.time - (now - time), 0);
}

/** The forms in which an address may be written in a table. */
export function spellings(ip: Ip): readonly [string, string, string] {
  const canonical = formatIp(ip);
  if (ip.length === 4) return [canonical, `::ffff:${canonical}`, `::FFFF:${canonical}`];
  const words = ipWords(ip).map((word) => word.toString(16));
  return [canonical, words.join(":"), words.map((word) => word.padStart(4, "0")).join(":")];
}

/** Seconds for which an address may still relay because of its own rows; other rows are ignored. */
export function windowLeft(ip: Ip, { rows, now }: RelayRows, time: number): number {
  const own = rows.filter(({ client }) => sameIp(parseIp(client), ip));
  return Math.max(0, ...own.map((row) => secondsLeft(row, now, time)));
}

/** The netblocks among rows that are still valid, each with its remaining seconds. */
export function openBlocks({ rows, now }: RelayRows, time: number): (Netblock & { left: number })[] {
  return rows.flatMap((row) => {
    const block = parseNetblock(row.client);
    const left = secondsLeft(row, now, time);
    return block && left > 0 ? [{ ...block, left }] : [];
  });
}

function sameIp(a: Ip | undefined, b: Ip): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

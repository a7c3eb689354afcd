import { formatIp, type Ip, ipWords, parseIp } from "@qmail-mysql/wire";
import { type Netblock, parseNetblock } from "./netblock.ts";

/** A row of a relay table. */
export interface RelayRow {
  /** As it stands in the table: an address or a netblock. */
  readonly client: string;
  /** Seconds since 1970 of the last login; undefined is for ever. */
  readonly time: number | undefined;
  /** Who logged in, where the table says so. */
  readonly user: string | undefined;
}

/** Rows, and the time by the clock of the database that wrote them: hosts need not agree on theirs. */
export interface RelayRows {
  readonly rows: readonly RelayRow[];
  readonly now: number;
}

/**
 * For how many more seconds a row opens the relay, Infinity for ever, 0 for not any more. The patch compares
 * `timestamp > now - time`: a row that is exactly `time` seconds old is over.
 */
export function secondsLeft(row: RelayRow, now: number, time: number): number {
  return row.time === undefined ? Infinity : Math.max(row.time - (now - time), 0);
}

/** The spellings under which an address may stand in a table. */
export function spellings(ip: Ip): readonly [string, string, string] {
  const canonical = formatIp(ip);
  if (ip.length === 4) return [canonical, `::ffff:${canonical}`, `::FFFF:${canonical}`];
  const words = ipWords(ip).map((word) => word.toString(16));
  return [canonical, words.join(":"), words.map((word) => word.padStart(4, "0")).join(":")];
}

/** For how long the rows found for an address let it relay: only rows of that very address count. */
export function windowLeft(ip: Ip, { rows, now }: RelayRows, time: number): number {
  const own = rows.filter(({ client }) => sameIp(parseIp(client), ip));
  return Math.max(0, ...own.map((row) => secondsLeft(row, now, time)));
}

/** The netblocks among rows that are still open, each with the seconds it has left. */
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

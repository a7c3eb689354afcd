import { lower } from "@qmail-mysql/wire";

/** A row of the alias table: one delivery instruction for username's address with the extension `alias`. */
export interface AliasRow {
  readonly username: string;
  readonly alias: string;
  readonly aliasUsername: string;
  readonly aliasHost: string;
  /** The text of the optional column, a whole number; 0 if it is blank or the column does not exist. */
  readonly position?: string | undefined;
  /** It is not carried out; if all rows of an address are disabled, the address is refused. */
  readonly isDisabled?: boolean;
}

/** Port: the rows of `username` with one of `aliases` (lower case), in any order. */
export type FindAliases = (username: string, aliases: readonly string[]) => Promise<readonly AliasRow[]>;

/** An invalid row of the alias table; the message names it. */
export class AliasMisconfiguration extends Error {
  constructor(row: AliasRow, why: string) {
    const columns = [row.username, row.alias, row.aliasUsername, row.aliasHost];
    super(`MySQL misconfiguration: alias row (${columns.map(printable).join(", ")}) ${why}`);
  }
}

/** In quotes, with control characters replaced so that it stays on one line. */
function printable(column: string): string {
  return `'${column.replace(/[\0-\x1f\x7f]/g, "_")}'`;
}

/** Value of the alias column in rows for all extensions without rows of their own. */
export const ANY_EXTENSION = "@";

/** The values of the alias column that match `ext` at `host`: the extension, the whole address, any extension. */
export function aliasKeys(ext: string, host: string): string[] {
  const own = lower(ext);
  const keys = [own, `${own}@${lower(host)}`, ANY_EXTENSION];
  // Before qmail/MySQL 1.1.2 a blank alias matched any extension. Such a row is reported and not used.
  return own === ANY_EXTENSION ? [...keys, ""] : keys;
}

/**
 * The rows for an address, all with the same alias, in the order in which they are carried out; [] if there are none.
 * Throws AliasMisconfiguration if an address that "@" would match has only a row with a blank alias, or if the position
 * of a row is invalid.
 */
export function chooseAliases(rows: readonly AliasRow[], ext: string, host: string): readonly AliasRow[] {
  for (const key of aliasKeys(ext, host)) {
    const found = rows.filter((row) => lower(row.alias) === key);
    const [first] = found;
    if (!first) continue;
    if (key === "" && lower(ext) === ANY_EXTENSION) {
      throw new AliasMisconfiguration(first, "has a blank alias: for any extension it has to be '@'");
    }
    return inOrder(found);
  }
  return [];
}

/** Does a row run a program? */
const isProgram = (row: AliasRow): boolean => row.aliasUsername === "|";

/**
 * By position. Within a position programs come first, since a program may refuse or defer the message or end its
 * delivery (exit 99), which has to happen before a file is written. The rest is in byte order, so that the order is
 * always the same.
 */
function inOrder(rows: readonly AliasRow[]): AliasRow[] {
  const key = (row: AliasRow) => `${isProgram(row) ? 0 : 1}${row.aliasUsername}\0${row.aliasHost}`;
  const ranked = rows.map((row) => ({ row, position: position(row), key: key(row) }));
  ranked.sort((a, b) => a.position - b.position || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return ranked.map(({ row }) => row);
}

function position(row: AliasRow): number {
  const text = row.position ?? "";
  if (!/^(-?\d{1,9})?$/.test(text)) {
    throw new AliasMisconfiguration(row, "has a position that is not a whole number");
  }
  return Number(text);
}

/**
 * Of the rows of one address, the programs that run first only because their position is that of other rows. Used by
 * `qmail-mysql check`.
 */
export function programsWithoutPlace(rows: readonly AliasRow[]): AliasRow[] {
  return rows.filter(
    (row) =>
      isProgram(row) &&
      rows.some((other) => other !== row && (other.position || "0") === (row.position || "0")),
  );
}

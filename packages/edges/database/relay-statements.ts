import type { RelayTable } from "@qmail-mysql/control";

declare const brand: unique symbol;
/** A statement over the table that control/sql names. Only its names differ, and they are plain identifiers. */
export type RelayStatement = string & { readonly [brand]: true };

/** More netblocks than this are not read. */
export const MAX_NETBLOCKS = 100_000;

/**
 * The relay questions for one table. `control/sql` has checked that its names are letters, digits, _ and $;
 * everything else is a placeholder. Times are seconds by the database's clock, NULL is for ever.
 */
export function relayStatements(relay: RelayTable, driver: "mysql" | "sqlite") {
  const isMysql = driver === "mysql";
  const [table, ip, column] = [quote(relay.table), quote(relay.ip), quote(relay.time)];
  const user = relay.user === undefined ? undefined : quote(relay.user);
  const now = isMysql ? "UNIX_TIMESTAMP()" : "CAST(strftime('%s', 'now') AS INTEGER)";
  const dated = isMysql
    ? `${now} - TIMESTAMPDIFF(SECOND, ${column}, NOW())`
    : `CAST(strftime('%s', ${column}) AS INTEGER)`;
  const time = relay.isDatetime ? dated : column;
  const stamp = !relay.isDatetime ? now : isMysql ? "NOW()" : "datetime('now')";
  // 0 means "for ever" in a column that cannot be NULL; text that merely counts as 0 does not.
  const isPermanent = `(${column} IS NULL OR ${column} = ${relay.isDatetime && isMysql ? "0" : "'0'"})`;
  const row = `${ip} AS client, ${time} AS time, ${isPermanent} AS permanent, ${user ?? "NULL"} AS user, ${now} AS now`;
  // A permanent row, or one with a time to come, is the administrator's: a login leaves it as it is.
  const unless = (kept: string, otherwise: string) =>
    `${kept} = CASE WHEN ${isPermanent} OR ${time} > ${now} THEN ${kept} ELSE ${otherwise} END`;
  const conflict = isMysql ? "ON DUPLICATE KEY UPDATE" : `ON CONFLICT (${ip}) DO UPDATE SET`;
  const names = user === undefined ? `${ip}, ${column}` : `${ip}, ${column}, ${user}`;
  const login = user === undefined ? `?, ${stamp}` : `?, ${stamp}, ?`;
  const statements = {
    now: `SELECT ${now} AS now`,
    rowsOf: `SELECT ${row} FROM ${table} WHERE ${ip} IN (?, ?, ?) LIMIT 16`,
    netblockRows: `SELECT ${row} FROM ${table} WHERE ${isNetblock(ip)} LIMIT ${MAX_NETBLOCKS}`,
    list: `SELECT ${row} FROM ${table} ORDER BY ${ip}`,
    open: `INSERT INTO ${table} (${names}) VALUES (${login})
      ${conflict} ${user === undefined ? "" : `${unless(user, "?")}, `}${unless(column, stamp)}`, // in this order
    openForEver: `INSERT INTO ${table} (${names}) VALUES (?, ?${user === undefined ? "" : ", ''"})
      ${conflict} ${column} = ?`,
    remove: `DELETE FROM ${table} WHERE ${ip} IN (?, ?, ?)`,
    purge: `DELETE FROM ${table} WHERE NOT ${isPermanent} AND ${time} <= ${now} - ?`,
  };
  return statements as { readonly [K in keyof typeof statements]: RelayStatement };
}

/** Backquotes on SQLite as well: a column it does not know would be a string in double quotes. */
function quote(name: string): string {
  return `\`${name}\``;
}

/** What a netblock has and an address has not: a mask, a last dot or colon, fewer than three dots. */
function isNetblock(ip: string): string {
  return `(${ip} LIKE '%/%' OR ${ip} LIKE '%.' OR ${ip} LIKE '%:' OR (${ip} NOT LIKE '%.%.%.%' AND ${ip} NOT LIKE '%:%'))`;
}

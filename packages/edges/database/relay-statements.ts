import type { RelayTable } from "@qmail-mysql/control";

declare const brand: unique symbol;
/** A statement on the table that control/sql names. Only its identifiers vary; they are validated. */
export type RelayStatement = string & { readonly [brand]: true };

/** Maximum number of netblocks read. */
export const MAX_NETBLOCKS = 100_000;

/**
 * The statements for one relay table. parseSql has checked that its names consist of letters, digits, _ and $; all
 * values are placeholders. Times are seconds by the clock of the database; a row with NULL does not expire.
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
  // 0 means "does not expire", for columns that cannot be NULL; other text that converts to 0 does not.
  const isPermanent = `(${column} IS NULL OR ${column} = ${relay.isDatetime && isMysql ? "0" : "'0'"})`;
  const row = `${ip} AS client, ${time} AS time, ${isPermanent} AS permanent, ${user ?? "NULL"} AS user, ${now} AS now`;
  // A row that does not expire, or with a time in the future, was set by the administrator: a login does not change it.
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

/** Backquotes for SQLite too: it reads an unknown column in double quotes as a string. */
function quote(name: string): string {
  return `\`${name}\``;
}

/** A condition true for netblocks only: a mask, a final dot or colon, or fewer than three dots. */
function isNetblock(ip: string): string {
  return `(${ip} LIKE '%/%' OR ${ip} LIKE '%.' OR ${ip} LIKE '%:' OR (${ip} NOT LIKE '%.%.%.%' AND ${ip} NOT LIKE '%:%'))`;
}

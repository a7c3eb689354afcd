import type { RelayStatement } from "./relay-statements.ts";

/**
 * Every SQL statement the programs run, by name. Values are placeholders, always; `virtual` is a reserved
 * word of MySQL 8. The columns are those of qmail/MySQL, so that its databases work as they are.
 */

/** How many names one statement asks for; shorter lists repeat a name, longer ones ask again. */
export const BATCH = 8;
const BATCH_OF_NAMES = Array(BATCH).fill("?").join(", ");

/** One to BATCH names as a statement takes them: filled up with one of their own. */
export function fillUp(names: readonly string[]): string[] {
  const all = [...names];
  while (all.length < BATCH) all.push(all[0] ?? "");
  return all;
}

/** How many rows may stand for one address or name; more are trouble, not a choice among some of them. */
export const ROWS = 10_000;

export const statements = {
  findMailboxes: `SELECT username, uid, gid, home, suspended FROM mailbox WHERE username IN (${BATCH_OF_NAMES})
    LIMIT ${ROWS}`,

  findLogin: `SELECT username, uid, gid, home, suspended, password, password_type
    FROM mailbox WHERE username = ? LIMIT ${ROWS}`,

  /** Any password: what a stranger's login is made to cost. */
  decoy: "SELECT password, password_type FROM mailbox LIMIT 1",

  findAliases: `SELECT username, alias, alias_username, alias_host FROM alias
    WHERE username = ? AND alias IN (?, ?, ?, ?) LIMIT ${ROWS}`,

  /** All columns, because position is an optional one. */
  findAliasRows: `SELECT * FROM alias WHERE username = ? AND alias IN (?, ?, ?, ?) LIMIT ${ROWS}`,

  findVirtual: `SELECT username, ext, virtual_username, virtual_host
    FROM \`virtual\` WHERE virtual_host = ? AND virtual_username IN (?, ?) LIMIT ${ROWS}`,

  findVirtualHosts: `SELECT DISTINCT virtual_host FROM \`virtual\` WHERE virtual_host IN (${BATCH_OF_NAMES})
    LIMIT ${ROWS}`,

  /**
   * With funky queries either column may be a LIKE pattern. Which rows match is decided by one rule for all
   * databases, not by each one's LIKE; the database only leaves out what can neither equal nor match.
   */
  findFunkyVirtual: `SELECT username, ext, virtual_username, virtual_host FROM \`virtual\`
    WHERE (virtual_host = ? OR INSTR(virtual_host, '%') > 0 OR INSTR(virtual_host, '_') > 0)
      AND (virtual_username = ? OR INSTR(virtual_username, '%') > 0 OR INSTR(virtual_username, '_') > 0)
    LIMIT ${ROWS}`,

  findFunkyHosts: `SELECT DISTINCT virtual_host FROM \`virtual\`
    WHERE virtual_host IN (${BATCH_OF_NAMES}) OR INSTR(virtual_host, '%') > 0 OR INSTR(virtual_host, '_') > 0
    LIMIT ${ROWS}`,

  /** All that compare equal to a name: a collation takes more for equal than we do. */
  showMailbox: `SELECT username, uid, gid, home, suspended, password, password_type
    FROM mailbox WHERE username = ? LIMIT 9`,

  listMailboxes: "SELECT username, uid, gid, home, suspended, password_type FROM mailbox ORDER BY username",

  listAliases: "SELECT username, alias, alias_username, alias_host FROM alias ORDER BY username, alias",

  listVirtual: `SELECT username, ext, virtual_username, virtual_host
    FROM \`virtual\` ORDER BY virtual_host, virtual_username`,

  /** Whole tables, for rebuild-cdb: in the order of an index, so that neither side sorts or keeps them. */
  eachVirtualHost: "SELECT virtual_host FROM `virtual` ORDER BY virtual_host",

  eachRcptHost: "SELECT host FROM rcpthosts ORDER BY host",

  /** Backwards: a name comes after those that begin with it. */
  eachMailbox: "SELECT username, uid, gid, home, suspended FROM mailbox ORDER BY username DESC",

  /** When tables changed. SQLite has one number for the whole file. */
  tableTimes: `SELECT table_name AS name, create_time AS created, update_time AS updated,
    update_time >= NOW() - INTERVAL 1 SECOND AS recent
    FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?) ORDER BY table_name`,
  dataVersion: "PRAGMA data_version",

  /**
   * A server may begin every session with autocommit off: what is written would be undone at the end, and who stays
   * would see the tables as they were at the beginning. A value cut to fit its column would be a password nobody has.
   */
  beginWriting: "SET SESSION autocommit = 1, SESSION sql_mode = 'STRICT_ALL_TABLES'",

  /** MySQL 8 shows update_time as it was up to a day ago, unless told; MariaDB skips what is in the comment. */
  beginStaying: "SET SESSION autocommit = 1 /*!80003 , SESSION information_schema_stats_expiry = 0 */",

  /** Of a server that belongs to no cluster the name of the provider is blank, or no row at all. */
  clusterReady: "SHOW STATUS WHERE variable_name IN ('wsrep_provider_name', 'wsrep_ready')",

  addMailbox: `INSERT INTO mailbox (username, uid, gid, home, password, password_type, suspended)
    VALUES (?, ?, ?, ?, ?, ?, 'N')`,

  setPassword: "UPDATE mailbox SET password = ?, password_type = ? WHERE username = ?",

  setSuspended: "UPDATE mailbox SET suspended = ? WHERE username = ?",

  deleteMailbox: "DELETE FROM mailbox WHERE username = ?",

  /** All that compare equal, for the administrator: a collation takes more for equal than we do. */
  showAliases: `SELECT username, alias, alias_username, alias_host FROM alias
    WHERE username = ? AND alias = ? LIMIT 1000`,

  addAlias: "INSERT INTO alias (username, alias, alias_username, alias_host) VALUES (?, ?, ?, ?)",

  deleteAlias: `DELETE FROM alias
    WHERE username = ? AND alias = ? AND COALESCE(alias_username, '') = ? AND COALESCE(alias_host, '') = ?`,

  showVirtual: `SELECT username, ext, virtual_username, virtual_host FROM \`virtual\`
    WHERE virtual_username = ? AND virtual_host = ? LIMIT 1000`,

  addVirtual: "INSERT INTO `virtual` (username, ext, virtual_username, virtual_host) VALUES (?, ?, ?, ?)",

  deleteVirtual: `DELETE FROM \`virtual\`
    WHERE COALESCE(username, '') = ? AND COALESCE(ext, '') = ? AND virtual_username = ? AND virtual_host = ?`,

  showRcptHost: "SELECT host FROM rcpthosts WHERE host = ? LIMIT 9",

  addRcptHost: "INSERT INTO rcpthosts (host) VALUES (?)",

  deleteRcptHost: "DELETE FROM rcpthosts WHERE host = ?",

  /** What the account may do. */
  showGrants: "SHOW GRANTS",
} as const;

export type Statement = (typeof statements)[keyof typeof statements] | RelayStatement;

import type { RelayStatement } from "./relay-statements.ts";
import type { SchemaStatement } from "./schema.ts";

/**
 * The administrator's statements and those over whole tables, by name; the questions about one address are in schema.ts.
 * Values are placeholders, always; `virtual` is a reserved word of MySQL 8.
 */

export const statements = {
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

  setMailbox: "UPDATE mailbox SET uid = ?, gid = ?, home = ? WHERE username = ?",

  renameMailbox: "UPDATE mailbox SET username = ? WHERE username = ?",

  deleteMailbox: "DELETE FROM mailbox WHERE username = ?",

  /** All that compare equal, for the administrator: a collation takes more for equal than we do. */
  showAliases: `SELECT username, alias, alias_username, alias_host FROM alias
    WHERE username = ? AND COALESCE(alias, '') = ? LIMIT 1000`,

  addAlias: "INSERT INTO alias (username, alias, alias_username, alias_host) VALUES (?, ?, ?, ?)",

  deleteAlias: `DELETE FROM alias
    WHERE username = ? AND COALESCE(alias, '') = ? AND COALESCE(alias_username, '') = ? AND COALESCE(alias_host, '') = ?`,

  showVirtual: `SELECT username, ext, virtual_username, virtual_host FROM \`virtual\`
    WHERE COALESCE(virtual_username, '') = ? AND virtual_host = ? LIMIT 1000`,

  addVirtual: "INSERT INTO `virtual` (username, ext, virtual_username, virtual_host) VALUES (?, ?, ?, ?)",

  deleteVirtual: `DELETE FROM \`virtual\`
    WHERE COALESCE(username, '') = ? AND COALESCE(ext, '') = ?
      AND COALESCE(virtual_username, '') = ? AND virtual_host = ?`,

  showRcptHost: "SELECT host FROM rcpthosts WHERE host = ? LIMIT 9",

  addRcptHost: "INSERT INTO rcpthosts (host) VALUES (?)",

  deleteRcptHost: "DELETE FROM rcpthosts WHERE host = ?",

  /** What the account may do. */
  showGrants: "SHOW GRANTS",
} as const;

export type Statement = (typeof statements)[keyof typeof statements] | RelayStatement | SchemaStatement;

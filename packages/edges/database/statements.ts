import type { RelayStatement } from "./relay-statements.ts";
import type { SchemaStatement } from "./schema.ts";

/**
 * The statements of qmail-mysql and those that read whole tables; the statements for the questions are in schema.ts.
 * Values are always placeholders. `virtual` is a reserved word of MySQL 8.
 */

export const statements = {
  /** All rows that the collation considers equal to a name. */
  showMailbox: `SELECT username, uid, gid, home, suspended, password, password_type
    FROM mailbox WHERE username = ? LIMIT 9`,

  listMailboxes: "SELECT username, uid, gid, home, suspended, password_type FROM mailbox ORDER BY username",

  listAliases: "SELECT username, alias, alias_username, alias_host FROM alias ORDER BY username, alias",

  listVirtual: `SELECT username, ext, virtual_username, virtual_host
    FROM \`virtual\` ORDER BY virtual_host, virtual_username`,

  /** Whole tables, for rebuild-cdb: in the order of an index, so that neither side has to sort or store them. */
  eachVirtualHost: "SELECT virtual_host FROM `virtual` ORDER BY virtual_host",

  eachVirtualAddress: "SELECT virtual_username, virtual_host FROM `virtual`",
  eachAliasOf: "SELECT alias FROM alias WHERE username = ?",
  eachRcptHost: "SELECT host FROM rcpthosts ORDER BY host",

  /** In descending order: a name comes after those that begin with it. */
  eachMailbox: "SELECT username, uid, gid, home, suspended FROM mailbox ORDER BY username DESC",

  /** When tables changed. SQLite has one version number for the whole file. */
  tableTimes: `SELECT table_name AS name, create_time AS created, update_time AS updated,
    update_time >= NOW() - INTERVAL 1 SECOND AS recent
    FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (?, ?, ?) ORDER BY table_name`,
  dataVersion: "PRAGMA data_version",

  /**
   * A server may be configured to begin sessions with autocommit off: changes would then be rolled back at the end, and
   * a resident program would not see later changes. In strict mode values are not truncated, for example a hash.
   */
  beginWriting: "SET SESSION autocommit = 1, SESSION sql_mode = 'STRICT_ALL_TABLES'",

  /** By default MySQL 8 returns an update_time up to a day old. MariaDB ignores the text in the comment. */
  beginStaying: "SET SESSION autocommit = 1 /*!80003 , SESSION information_schema_stats_expiry = 0 */",

  /** For a server without a cluster the name of the provider is blank or has no row. */
  clusterReady:
    "SHOW STATUS WHERE variable_name IN ('wsrep_provider_name', 'wsrep_ready', 'wsrep_local_state')",

  addMailbox: `INSERT INTO mailbox (username, uid, gid, home, password, password_type, suspended)
    VALUES (?, ?, ?, ?, ?, ?, 'N')`,

  setPassword: "UPDATE mailbox SET password = ?, password_type = ? WHERE username = ?",

  setSuspended: "UPDATE mailbox SET suspended = ? WHERE username = ?",

  setMailbox: "UPDATE mailbox SET uid = ?, gid = ?, home = ? WHERE username = ?",

  renameMailbox: "UPDATE mailbox SET username = ? WHERE username = ?",

  deleteMailbox: "DELETE FROM mailbox WHERE username = ?",

  /** All rows that the collation considers equal, for the administrator. */
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

  /** The privileges of the account. */
  showGrants: "SHOW GRANTS",
} as const;

export type Statement = (typeof statements)[keyof typeof statements] | RelayStatement | SchemaStatement;

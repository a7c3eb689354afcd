import { type DatabaseAddress, parseSql, type RelaySql } from "@qmail-mysql/control";
import { adminControl, readControlFile } from "@qmail-mysql/control-files";
import type { Mode } from "@qmail-mysql/database";
import { say } from "@qmail-mysql/process";
import { type RelayAnswers, relayAnswers } from "@qmail-mysql/relay";
import { sqldPath, sqldRelay } from "@qmail-mysql/sqld-client";
import { openDatabase, readSqlServer } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { type RelayStore, relayStoreOver } from "./relay-store.ts";

/** control/sql with its own database or that of control/sqlserver. */
export type RelayDatabase = RelaySql & { readonly database: DatabaseAddress };

/** The path of control/sql. */
export function sqlControlFile(qmailHome: string): string {
  return `${qmailHome}/control/sql`;
}

/** Reads control/sql and reports its warnings on descriptor 2. Throws Trouble with the file and the line. */
export function readSql(qmailHome: string, program: string, file = sqlControlFile(qmailHome)): RelaySql {
  const config = readControlFile(file, parseSql);
  for (const warning of config.warnings) say(`${program}: warning: ${warning}`);
  return config;
}

/**
 * The same, for callers that open the table themselves: with the database of control/sqlserver if control/sql names
 * none, and a timeout of at least `leastTimeout` seconds. With `admin` they are the administrator's own files, if they exist.
 */
export function readRelayDatabase(
  qmailHome: string,
  program: string,
  leastTimeout: number,
  admin?: "admin",
): RelayDatabase {
  const file = (name: string) => (admin ? adminControl(qmailHome, name) : undefined);
  const config = readSql(qmailHome, program, file("sql"));
  const database = config.database ?? readSqlServer(qmailHome, program, file("sqlserver"));
  return { ...config, database: { ...database, timeout: Math.max(database.timeout, leastTimeout) } };
}

/** Opens the relay table of a database. */
export async function openRelayStore(
  { database, table }: RelayDatabase,
  qmailHome: string,
  mode: Mode,
): Promise<RelayStore> {
  return relayStoreOver(await openDatabase(database, qmailHome, mode), table, database.driver);
}

/**
 * Opens the source of who may relay: the database that control/sql names, or qmail-sqld if it names none. Each question
 * takes `timeout` seconds at most.
 */
export async function openRelayAnswers(
  config: RelaySql,
  qmailHome: string,
  mode: Mode,
  timeout = config.timeout,
): Promise<RelayAnswers & { close(): Promise<void> }> {
  const { database } = config;
  if (!database) return sqldRelay(relaySqldPath(qmailHome), timeout);
  const store = await openRelayStore({ ...config, database: { ...database, timeout } }, qmailHome, mode);
  return { ...relayAnswers(store, config.time), close: store.close };
}

/** The socket of qmail-sqld, required by a control/sql that names no database. Throws Trouble. */
export function relaySqldPath(qmailHome: string): string {
  const path = sqldPath(qmailHome);
  if (path !== undefined) return path;
  throw new Trouble(
    `unable to use ${sqlControlFile(qmailHome)}: no "database" line: expected the database's name, or control/sqld for qmail-sqld's`,
  );
}

import { type DatabaseAddress, parseSqlServer, type SqlServer } from "@qmail-mysql/control";
import { readControlFile } from "@qmail-mysql/control-files";
import type { Database, Mode } from "@qmail-mysql/database";
import { nodeFs, status } from "@qmail-mysql/native";
import { say } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { fromText } from "@qmail-mysql/wire";
import { type Store, storeOver } from "./store.ts";
import { type Tables, tablesOver } from "./tables.ts";

/** The path of control/sqlserver below a qmail home. */
export function sqlServerFile(qmailHome: string): string {
  return `${qmailHome}/control/sqlserver`;
}

/**
 * Reads control/sqlserver, or another file of its form, and says its warnings, on descriptor 2 if nobody else
 * is told. Throws Trouble, naming file and line.
 */
export function readSqlServer(
  qmailHome: string,
  program: string,
  file = sqlServerFile(qmailHome),
  warn: (line: string) => void = (line) => say(`${program}: warning: ${line}`),
): SqlServer {
  const config = mending(qmailHome, program, () => readControlFile(file, parseSqlServer));
  config.warnings.forEach(warn);
  return config;
}

/** With qmail-sqld the file is its own account's: who else may not read it is told so. */
function mending<T>(qmailHome: string, program: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const denied = error instanceof Trouble && error.message.endsWith("access denied");
    if (!denied || !nodeFs().existsSync(`${qmailHome}/control/sqld`)) throw error;
    const fix =
      program === "qmail-sqld" ? "chown it to this account" : "run this as root, for it is qmail-sqld's";
    throw new Trouble(`${error.message}; fix: ${fix}`);
  }
}

/** Can anyone at all read the file that holds the database's password? */
export function isWorldReadable(file: string): boolean {
  return (status(fromText(file)).mode & 0o004) !== 0;
}

/** The file of an SQLite database; a relative one is below the qmail home. */
export function sqliteFile(config: Pick<SqlServer, "db">, qmailHome: string): string {
  return config.db.startsWith("/") ? config.db : `${qmailHome}/${config.db}`;
}

/** Opens the configured database; only its own driver is loaded. */
export async function openDatabase(
  config: DatabaseAddress,
  qmailHome: string,
  mode: Mode,
): Promise<Database> {
  if (config.driver === "sqlite") {
    const { openSqlite } = await import("@qmail-mysql/sqlite");
    return openSqlite(sqliteFile(config, qmailHome), mode, config.timeout);
  }
  const { openInTurn } = await import("@qmail-mysql/mysql");
  return openInTurn(config, mode);
}

/** The store the programs ask, over the configured database. */
export async function openStore(config: SqlServer, qmailHome: string): Promise<Store> {
  return storeOver(await openDatabase(config, qmailHome, "read"), config.funkyQueries);
}

/** Whole tables of the configured database, for a program that may stay. */
export async function openTables(config: SqlServer, qmailHome: string): Promise<Tables> {
  return tablesOver(await openDatabase(config, qmailHome, "resident"));
}

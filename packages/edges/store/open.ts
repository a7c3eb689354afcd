import { type DatabaseAddress, parseSqlServer, type SqlServer } from "@qmail-mysql/control";
import { readControlFile } from "@qmail-mysql/control-files";
import type { Database, Mode } from "@qmail-mysql/database";
import { nodeFs, status } from "@qmail-mysql/native";
import { say } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { fromText } from "@qmail-mysql/wire";
import { type Store, storeOver } from "./store.ts";
import { type Tables, tablesOver } from "./tables.ts";

/** The path of control/sqlserver. */
export function sqlServerFile(qmailHome: string): string {
  return `${qmailHome}/control/sqlserver`;
}

/**
 * Reads control/sqlserver, or another file of the same format, and reports its warnings, by default on descriptor 2.
 * Throws Trouble with the file and the line.
 */
export function readSqlServer(
  qmailHome: string,
  program: string,
  file = sqlServerFile(qmailHome),
  warn: (line: string) => void = (line) => say(`${program}: warning: ${line}`),
): SqlServer {
  const config = withRemedy(qmailHome, program, () => readControlFile(file, parseSqlServer));
  config.warnings.forEach(warn);
  return config;
}

/** With qmail-sqld the file belongs to its account: adds this to the error of others that must not read it. */
function withRemedy<T>(qmailHome: string, program: string, read: () => T): T {
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

/** Can all users read this file, which contains the database's password? */
export function isWorldReadable(file: string): boolean {
  return (status(fromText(file)).mode & 0o004) !== 0;
}

/** The file of an SQLite database; a relative path is below the qmail home directory. */
export function sqliteFile(config: Pick<SqlServer, "db">, qmailHome: string): string {
  return config.db.startsWith("/") ? config.db : `${qmailHome}/${config.db}`;
}

/** Opens the configured database; loads only its driver. */
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

/** The store of the configured database. */
export async function openStore(config: SqlServer, qmailHome: string, mode: Mode = "read"): Promise<Store> {
  return storeOver(await openDatabase(config, qmailHome, mode), config.funkyQueries);
}

/** Whole tables of the configured database; each statement has its own time limit. */
export async function openTables(config: SqlServer, qmailHome: string): Promise<Tables> {
  return tablesOver(await openDatabase(config, qmailHome, "resident"));
}

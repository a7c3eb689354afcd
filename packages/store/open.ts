import { readFileSync, statSync } from "node:fs";
import { ControlError, parseSqlServer, type SqlServer } from "@qmail-mysql/control";
import { reason, say, Trouble } from "@qmail-mysql/unix";
import type { Database } from "./database.ts";
import { type Store, storeOver } from "./store.ts";

/** The path of control/sqlserver below a qmail home. */
export function sqlServerFile(qmailHome: string): string {
  return `${qmailHome}/control/sqlserver`;
}

/** Reads control/sqlserver and says its warnings on descriptor 2. Throws Trouble, naming file and line. */
export function readSqlServer(qmailHome: string, program: string): SqlServer {
  const file = sqlServerFile(qmailHome);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
  try {
    const config = parseSqlServer(text, file);
    for (const warning of config.warnings) say(`${program}: warning: ${warning}`);
    return config;
  } catch (error) {
    if (error instanceof ControlError) throw new Trouble(`unable to use ${error.message}`);
    throw error;
  }
}

/** Can anyone at all read the file that holds the database's password? */
export function isWorldReadable(file: string): boolean {
  return (statSync(file).mode & 0o004) !== 0;
}

/** Opens the configured database; only its own driver is loaded. A relative SQLite file is below the qmail home. */
export async function openDatabase(
  config: SqlServer,
  qmailHome: string,
  mode: "read" | "write",
): Promise<Database> {
  if (config.driver === "sqlite") {
    const file = config.db.startsWith("/") ? config.db : `${qmailHome}/${config.db}`;
    const { openSqlite } = await import("./sqlite.ts");
    return openSqlite(file, mode, config.timeout);
  }
  const { openMysql } = await import("./mysql.ts");
  return openMysql(config, mode);
}

/** The store the programs ask, over the configured database. */
export async function openStore(config: SqlServer, qmailHome: string): Promise<Store> {
  return storeOver(await openDatabase(config, qmailHome, "read"), config.funkyQueries);
}

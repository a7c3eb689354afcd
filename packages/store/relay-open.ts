import { parseSql, type RelaySql } from "@qmail-mysql/control";
import { say } from "@qmail-mysql/unix";
import { readControlFile } from "./control-file.ts";
import type { Mode } from "./database.ts";
import { openDatabase } from "./open.ts";
import { type RelayStore, relayStoreOver } from "./relay.ts";

/** The path of control/sql below a qmail home. */
export function sqlControlFile(qmailHome: string): string {
  return `${qmailHome}/control/sql`;
}

/** Reads control/sql and says its warnings on descriptor 2. Throws Trouble, naming file and line. */
export function readSql(qmailHome: string, program: string, file = sqlControlFile(qmailHome)): RelaySql {
  const config = readControlFile(file, parseSql);
  for (const warning of config.warnings) say(`${program}: warning: ${warning}`);
  return config;
}

/** The relay questions over the database that control/sql names. */
export async function openRelayStore(config: RelaySql, qmailHome: string, mode: Mode): Promise<RelayStore> {
  const database = await openDatabase(config.database, qmailHome, mode);
  return relayStoreOver(database, config.table, config.database.driver);
}

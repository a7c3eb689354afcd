import { publicLines, type SqlServer } from "@qmail-mysql/control";
import { readControlFile, readSqlServer, sqlServerFile } from "@qmail-mysql/store";
import { parseSettings, type Settings } from "./settings.ts";

/** Everything control/ says to qmail-sqld. */
export interface Config {
  readonly sql: SqlServer;
  readonly settings: Settings;
  /** The lines of control/sqlserver that every client may know. */
  readonly lines: readonly string[];
}

/** Reads control/sqlserver and control/sqld-settings, which need not exist. Throws Trouble. */
export function readConfig(qmailHome: string): Config {
  const sql = readSqlServer(qmailHome, "qmail-sqld");
  return {
    sql,
    settings: readControlFile(`${qmailHome}/control/sqld-settings`, parseSettings, ""),
    lines: readControlFile(sqlServerFile(qmailHome), publicLines),
  };
}

import { publicLines, type RelaySql, type SqlServer } from "@qmail-mysql/control";
import { hasControl, readControlFile } from "@qmail-mysql/control-files";
import { say } from "@qmail-mysql/process";
import { readSql, sqlControlFile } from "@qmail-mysql/relay-store";
import { readSqlServer, sqlServerFile } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { parseSettings, type Settings } from "./settings.ts";

/** What qmail-sqld reads in control/. */
export interface Config {
  readonly sql: SqlServer;
  readonly settings: Settings;
  /** The lines of control/sqlserver that any client may read. */
  readonly lines: readonly string[];
  /** control/sql, or why questions about the relay are not answered. */
  readonly relay: RelaySql | { readonly wrong: string };
}

/** Reads control/sqlserver, and control/sqld-settings and control/sql, which need not exist. Throws Trouble. */
export function readConfig(qmailHome: string): Config {
  const sql = readSqlServer(qmailHome, "qmail-sqld");
  return {
    sql,
    settings: readControlFile(`${qmailHome}/control/sqld-settings`, parseSettings, ""),
    lines: readControlFile(sqlServerFile(qmailHome), publicLines),
    relay: readRelay(qmailHome),
  };
}

/** An error in control/sql affects only the questions about the relay. */
function readRelay(qmailHome: string): Config["relay"] {
  const file = sqlControlFile(qmailHome);
  if (!hasControl(qmailHome, "sql")) {
    return { wrong: `unable to answer: ${file} did not exist when qmail-sqld read it; send it SIGHUP` };
  }
  try {
    const relay = readSql(qmailHome, "qmail-sqld");
    if (!relay.database) return relay;
    return { wrong: `unable to answer: ${file} names a database, which is to be asked instead` };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    say(`qmail-sqld: warning: ${error.message}`);
    return { wrong: error.message };
  }
}

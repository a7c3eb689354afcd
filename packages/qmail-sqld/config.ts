import { readFileSync } from "node:fs";
import { ControlError, publicLines, type SqlServer } from "@qmail-mysql/control";
import { readSqlServer, sqlServerFile } from "@qmail-mysql/store";
import { errno, reason, Trouble } from "@qmail-mysql/unix";
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
  const file = `${qmailHome}/control/sqld-settings`;
  const sqlFile = sqlServerFile(qmailHome);
  try {
    return {
      sql,
      settings: parseSettings(readOptional(file), file),
      lines: publicLines(readFileSync(sqlFile, "utf8"), sqlFile),
    };
  } catch (error) {
    if (error instanceof ControlError) throw new Trouble(`unable to use ${error.message}`);
    throw error;
  }
}

function readOptional(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (errno(error) === "ENOENT") return "";
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
}

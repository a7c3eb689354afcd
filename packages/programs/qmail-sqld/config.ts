import { publicLines, type RelaySql, type SqlServer } from "@qmail-mysql/control";
import { hasControl, readControlFile } from "@qmail-mysql/control-files";
import { say } from "@qmail-mysql/process";
import { clientsOf, type Netblocks } from "@qmail-mysql/relay";
import { readSql, sqlControlFile } from "@qmail-mysql/relay-store";
import { readSqlServer, sqlServerFile } from "@qmail-mysql/store";
import { findSystemAccounts } from "@qmail-mysql/system";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { type Callers, parseSettings, type Settings } from "./settings.ts";

/** What qmail-sqld reads in control/. */
export interface Config {
  readonly sql: SqlServer;
  readonly settings: Settings;
  /** The uids of login_callers, with root. */
  readonly callers: ReadonlySet<number>;
  /** The addresses of login_shared. */
  readonly shared: Netblocks;
  /** The lines of control/sqlserver that any client may read. */
  readonly lines: readonly string[];
  /** control/sql, or why questions about the relay are not answered. */
  readonly relay: RelaySql | { readonly wrong: string };
}

/** Reads control/sqlserver, and control/sqld-settings and control/sql, which need not exist. Throws Trouble. */
export function readConfig(qmailHome: string): Config {
  const sql = readSqlServer(qmailHome, "qmail-sqld");
  const settings = readControlFile(`${qmailHome}/control/sqld-settings`, parseSettings, "");
  return {
    sql,
    settings,
    callers: uidsOf(settings.loginCallers, sql.timeout),
    shared: clientsOf(settings.loginShared),
    lines: readControlFile(sqlServerFile(qmailHome), publicLines),
    relay: readRelay(qmailHome),
  };
}

/** Without its account a caller is not believed, which only counts its logins together: qmail-sqld starts nevertheless. */
function uidsOf({ uids, names }: Callers, timeout: number): Set<number> {
  const found = (name: string): number[] => {
    try {
      return findSystemAccounts([name], timeout).map(({ uid }) => uid);
    } catch (error) {
      say(`qmail-sqld: warning: login_callers: ${reason(error)}`);
      return [];
    }
  };
  return new Set([0, ...uids, ...names.flatMap(found)]);
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

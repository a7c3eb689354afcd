import type { InvalidMailbox, Mailbox } from "@qmail-mysql/accounts";
import { type Database, statements, toAnyMailbox, type Version } from "@qmail-mysql/database";

/** Whole tables, row by row. Each throws on trouble, and rethrows what `each` throws. */
export interface Tables {
  /** Hosts as in the table; duplicates follow each other. */
  readonly eachVirtualHost: (each: (host: string) => void) => Promise<void>;
  readonly eachVirtualAddress: (each: (local: string, host: string) => void) => Promise<void>;
  /** The aliases of the rows of a user. */
  readonly eachAliasOf: (username: string, each: (alias: string) => void) => Promise<void>;
  readonly eachRcptHost: (each: (host: string) => void) => Promise<void>;
  /** In descending order: a name comes after those that begin with it. An invalid row is passed with the reason. */
  readonly eachMailbox: (each: (name: string, row: Mailbox | InvalidMailbox) => void) => Promise<void>;
  readonly version: (tables: readonly string[]) => Promise<Version>;
  readonly close: () => Promise<void>;
}

export function tablesOver(database: Database): Tables {
  return {
    eachVirtualHost: (each) => database.stream(statements.eachVirtualHost, [], ([host = ""]) => each(host)),
    eachVirtualAddress: (each) =>
      database.stream(statements.eachVirtualAddress, [], ([local = "", host = ""]) => each(local, host)),
    eachAliasOf: (username, each) =>
      database.stream(statements.eachAliasOf, [username], ([alias = ""]) => each(alias)),
    eachRcptHost: (each) => database.stream(statements.eachRcptHost, [], ([host = ""]) => each(host)),
    eachMailbox: (each) =>
      database.stream(
        statements.eachMailbox,
        [],
        ([username = "", uid = "", gid = "", home = "", suspended = ""]) =>
          each(username, toAnyMailbox({ username, uid, gid, home, suspended })),
      ),
    version: database.version,
    close: database.close,
  };
}

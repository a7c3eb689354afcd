import type { Mailbox } from "@qmail-mysql/accounts";
import { Trouble } from "@qmail-mysql/trouble";
import type { Database, Version } from "./database.ts";
import { statements } from "./statements.ts";
import { toMailbox } from "./store.ts";

/** Whole tables, row by row. Each throws on trouble, and passes on what `each` throws. */
export interface Tables {
  /** Hosts as they stand in the table, a host once or more, equal ones next to each other. */
  readonly eachVirtualHost: (each: (host: string) => void) => Promise<void>;
  readonly eachRcptHost: (each: (host: string) => void) => Promise<void>;
  /** Backwards: a name comes after those that begin with it. A row that cannot be meant comes with the reason. */
  readonly eachMailbox: (
    each: (name: string, row: Mailbox | { readonly wrong: string }) => void,
  ) => Promise<void>;
  readonly version: (tables: readonly string[]) => Promise<Version>;
  readonly close: () => Promise<void>;
}

export function tablesOver(database: Database): Tables {
  return {
    eachVirtualHost: (each) => database.stream(statements.eachVirtualHost, [], ([host = ""]) => each(host)),
    eachRcptHost: (each) => database.stream(statements.eachRcptHost, [], ([host = ""]) => each(host)),
    eachMailbox: (each) =>
      database.stream(
        statements.eachMailbox,
        [],
        ([username = "", uid = "", gid = "", home = "", suspended = ""]) =>
          each(username, checked({ username, uid, gid, home, suspended })),
      ),
    version: database.version,
    close: database.close,
  };
}

function checked(row: Record<string, string>): Mailbox | { readonly wrong: string } {
  try {
    return toMailbox(row);
  } catch (error) {
    if (error instanceof Trouble) return { wrong: error.message };
    throw error;
  }
}

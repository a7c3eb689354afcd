import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { reason, Trouble } from "@qmail-mysql/unix";
import type { Database, Row } from "./database.ts";
import { toRow } from "./row.ts";

/** Opens an SQLite file, never creating one; waits for a writer at most `timeout` seconds. */
export function openSqlite(file: string, mode: "read" | "write", timeout: number): Database {
  const attempt = <T>(what: string, call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw new Trouble(`unable to ${what} ${file}: ${reason(error)}`);
    }
  };
  const db = attempt("open", () => {
    statSync(file); // for the reason: SQLite only says "unable to open database file", or makes an empty one
    return new DatabaseSync(file, { readOnly: mode === "read", timeout: timeout * 1000 });
  });
  return {
    query: async (statement, values) =>
      attempt(
        "query",
        () => (db.prepare(statement).all(...values) as Record<string, unknown>[]).map(toRow) as Row[],
      ),
    change: async (statement, values) =>
      attempt("change", () => Number(db.prepare(statement).run(...values).changes)),
    script: async (sql) => attempt("change", () => db.exec(sql)),
    close: async () => db.close(),
  };
}

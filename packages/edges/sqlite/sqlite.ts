import { DatabaseSync } from "node:sqlite";
import {
  askBySchema,
  type Database,
  type Mode,
  type Row,
  schemas,
  statements,
  toBytes,
  toRow,
  type Value,
} from "@qmail-mysql/database";
import { isFile } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { fromText } from "@qmail-mysql/wire";

/** Opens an existing SQLite file; waits for a writer at most `timeout` seconds. */
export function openSqlite(file: string, mode: Mode, timeout: number): Database {
  const attempt = <T>(what: string, call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw new Trouble(
        `unable to ${what} ${file}: ${mode === "write" ? reasonForWriters(error) : reasonForReaders(error)}`,
      );
    }
  };
  const db = attempt("open", () => {
    // SQLite gives no reason if it cannot open the file, creates it if it does not exist, and waits on a FIFO.
    if (!isFile(fromText(file))) throw new Error("not a regular file");
    return new DatabaseSync(file, { readOnly: mode !== "write", timeout: timeout * 1000 });
  });
  const query = async (statement: string, values: readonly Value[]) =>
    attempt(
      "query",
      () => (db.prepare(statement).all(...values) as Record<string, unknown>[]).map(toRow) as Row[],
    );
  return {
    ask: askBySchema(schemas.sqlite, query),
    query,
    stream: async (statement, values, each) => {
      const rows = attempt("query", () => db.prepare(statement).iterate(...values));
      for (;;) {
        const next = attempt("query", () => rows.next());
        if (next.done) return;
        each(Object.values(next.value as Record<string, unknown>).map(toBytes));
      }
    },
    version: async () => {
      const row = attempt("query", () => db.prepare(statements.dataVersion).get());
      return { text: String(row?.data_version), settled: true };
    },
    change: async (statement, values) =>
      attempt("change", () => Number(db.prepare(statement).run(...values).changes)),
    script: async (sql) => attempt("change", () => db.exec(sql)),
    close: async () => db.close(),
  };
}

/**
 * After a writer was killed, or in WAL mode, SQLite has to write in order to read, which readers are not permitted to.
 * The statements of `qmail-mysql init` correct both.
 */
function reasonForReaders(error: unknown): string {
  const why = reason(error);
  return why.includes("readonly database")
    ? `its last change was interrupted, or its journal is a WAL (${why}); fix: qmail-mysql init`
    : why;
}

/** SQLite opens a file without write permission read-only, without an error. */
function reasonForWriters(error: unknown): string {
  const why = reason(error);
  return why.includes("readonly database") ? `access denied (${why})` : why;
}

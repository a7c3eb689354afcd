import type { Statement } from "./statements.ts";

/** A row: columns by lower-case name, every value as a byte string, SQL's NULL as "". */
export type Row = Readonly<Record<string, string>>;

export type Value = string | number;

/**
 * What a driver does: run one of our statements with its values. Values are text. Throws Trouble when the
 * database does not answer, or not in time.
 */
export interface Database {
  query(statement: Statement, values: readonly Value[]): Promise<Row[]>;
  /** Runs a statement that changes rows; answers how many. */
  change(statement: Statement, values: readonly Value[]): Promise<number>;
  /** Runs the statements of a schema, none of which takes values. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

export type OpenDatabase = (mode: "read" | "write") => Promise<Database>;

import { Trouble } from "@qmail-mysql/trouble";
import type { Ask } from "./questions.ts";
import type { Statement } from "./statements.ts";

/** A row: columns by lower-case name, every value as a byte string, SQL's NULL as "". */
export type Row = Readonly<Record<string, string>>;

export type Value = string | number;

/**
 * What a driver does: run one of our statements with its values. Values are text. Throws Trouble when the
 * database does not answer, or not in time.
 */
export interface Database {
  readonly ask: Ask;
  query(statement: Statement, values: readonly Value[]): Promise<Row[]>;
  /**
   * Calls `each` with every row, its columns in the statement's order, as byte strings. Rows do not gather in
   * memory, and each has its own time to come.
   */
  stream(statement: Statement, values: readonly Value[], each: (columns: string[]) => void): Promise<void>;
  /** What differs when a table of these has changed: a question light enough to be asked each second. */
  version(tables: readonly string[]): Promise<Version>;
  /** Runs a statement that changes rows; answers how many. */
  change(statement: Statement, values: readonly Value[]): Promise<number>;
  /** Runs the statements of a schema, none of which takes values. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

export interface Version {
  readonly text: string;
  /** False: a change that comes now may not show. */
  readonly settled: boolean;
}

/**
 * "read" is a program that asks and ends: everything together has the configured time. "resident" reads too, but has
 * that time for each statement, as "write" has.
 */
export type Mode = "read" | "resident" | "write";

/** The server does not answer; another one, or this one on a new connection, may. */
export class Unavailable extends Trouble {}

export type OpenDatabase = (mode: Mode) => Promise<Database>;

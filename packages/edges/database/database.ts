import { Trouble } from "@qmail-mysql/trouble";
import type { Ask } from "./questions.ts";
import type { Row, Value } from "./row.ts";
import type { Statement } from "./statements.ts";

/** A driver's connection to a database. Values are text. Throws Trouble if the database fails or the time is over. */
export interface Database {
  readonly ask: Ask;
  query(statement: Statement, values: readonly Value[]): Promise<Row[]>;
  /**
   * Calls `each` with every row, its columns in the order of the statement, as byte strings. Rows are not collected in
   * memory, and the time limit begins again with each.
   */
  stream(statement: Statement, values: readonly Value[], each: (columns: string[]) => void): Promise<void>;
  /** Returns a text that differs after one of the tables has changed; cheap enough to be called each second. */
  version(tables: readonly string[]): Promise<Version>;
  /** Runs a statement that changes rows; returns their number. */
  change(statement: Statement, values: readonly Value[]): Promise<number>;
  /** Runs several statements without values. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

export interface Version {
  readonly text: string;
  /** False if a change at this moment might not change the text. */
  readonly settled: boolean;
}

/**
 * "read" is for a program that runs once: all its questions together have the configured time. With "resident", which
 * also only reads, and with "write" each statement has that time.
 */
export type Mode = "read" | "resident" | "write";

/** The server failed, not the statement: another server, or a new connection, may succeed. */
export class Unavailable extends Trouble {}

export type OpenDatabase = (mode: Mode) => Promise<Database>;

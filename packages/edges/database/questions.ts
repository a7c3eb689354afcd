import type { Row } from "./row.ts";

/**
 * The questions about one address or name, with the type of their arguments. The schema has the statement for each; the
 * driver runs it.
 */
export interface Arguments {
  /** Names. */
  readonly findMailboxes: readonly string[];
  readonly findLogin: readonly [name: string];
  /** Any password, to make a refused login take the time of a comparison. */
  readonly decoy: readonly [];
  /** A user and its aliases, for clients that do not know the column position. */
  readonly findAliases: readonly [user: string, ...aliases: string[]];
  /** The same, including the optional column position. */
  readonly findAliasRows: readonly [user: string, ...aliases: string[]];
  /** The rows of this address and the catch-all of its host. */
  readonly findVirtual: readonly [host: string, local: string];
  /** Hosts. */
  readonly findVirtualHosts: readonly string[];
  /**
   * With funky queries either column may be a LIKE pattern. Returns all rows that may match: chooseVirtual decides, in
   * the same way for all databases.
   */
  readonly findFunkyVirtual: readonly [host: string, local: string];
  /** Hosts: those that equal one of them, and all patterns. */
  readonly findFunkyHosts: readonly string[];
}

export type Question = keyof Arguments;

/** Asks; arguments are text. Throws Trouble. Depending on the collation, there may be more rows than asked for. */
export type Ask = <Q extends Question>(question: Q, values: Arguments[Q]) => Promise<Row[]>;

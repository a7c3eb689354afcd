import type { Row } from "./database.ts";

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

const MAILBOX = ["username", "uid", "gid", "home", "suspended"] as const;
const ALIAS = ["username", "alias", "alias_username", "alias_host"] as const;
const VIRTUAL = ["username", "ext", "virtual_username", "virtual_host"] as const;

/** The columns of the rows, independent of their names in the tables. */
export const columns = {
  findMailboxes: MAILBOX,
  findLogin: [...MAILBOX, "password", "password_type"],
  decoy: ["password", "password_type"],
  findAliases: ALIAS,
  findAliasRows: [...ALIAS, "position"],
  findVirtual: VIRTUAL,
  findVirtualHosts: ["virtual_host"],
  findFunkyVirtual: VIRTUAL,
  findFunkyHosts: ["virtual_host"],
} as const satisfies Record<Question, readonly string[]>;

/** Asks; arguments are text. Throws Trouble. Depending on the collation, there may be more rows than asked for. */
export type Ask = <Q extends Question>(question: Q, values: Arguments[Q]) => Promise<Row[]>;

/** Maximum number of rows of one statement; more are trouble, since some of them would be missing. */
export const ROWS = 10_000;

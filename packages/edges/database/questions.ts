import type { Row } from "./database.ts";

/**
 * What may be asked about one address or name: the arguments and the columns of the rows. Which statement answers it is
 * the schema's, how it is asked a driver's.
 */
export interface Arguments {
  /** Names. */
  readonly findMailboxes: readonly string[];
  readonly findLogin: readonly [name: string];
  /** Any password, for the time that comparing with one takes. */
  readonly decoy: readonly [];
  /** A user and aliases of theirs, for clients that know no position. */
  readonly findAliases: readonly [user: string, ...aliases: string[]];
  /** The same; the column position is optional, and so may be others. */
  readonly findAliasRows: readonly [user: string, ...aliases: string[]];
  /** The rows of this address and the catch-all of its host. */
  readonly findVirtual: readonly [host: string, local: string];
  /** Hosts. */
  readonly findVirtualHosts: readonly string[];
  /**
   * With funky queries either column may be a LIKE pattern. Which rows match is decided by one rule for all databases,
   * not by each one's LIKE: these are all that can equal or match.
   */
  readonly findFunkyVirtual: readonly [host: string, local: string];
  /** Hosts: those that equal one of them, and all patterns. */
  readonly findFunkyHosts: readonly string[];
}

export type Question = keyof Arguments;

const MAILBOX = ["username", "uid", "gid", "home", "suspended"] as const;
const ALIAS = ["username", "alias", "alias_username", "alias_host"] as const;
const VIRTUAL = ["username", "ext", "virtual_username", "virtual_host"] as const;

/** The columns of the rows, whatever the tables call them. */
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

/** Asks; arguments are text. Throws Trouble. A database compares as its collation does: rows may be more than asked for. */
export type Ask = <Q extends Question>(question: Q, values: Arguments[Q]) => Promise<Row[]>;

/** How many rows may stand for one question; more are trouble, not a choice among some of them. */
export const ROWS = 10_000;

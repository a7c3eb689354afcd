import { type Statement, statements } from "./statements.ts";

/** A question qmail-sqld answers: qmail-sqld-protocol(7). */
export interface Served {
  /** The columns of an answer's rows, in the order in which they go over the socket. */
  readonly columns: readonly string[];
  /** Its values are names, 1 to BATCH of them, rather than one value for each placeholder. */
  readonly names?: true;
}

/**
 * Every statement that may be asked for over the socket, by name, and no other: none of them gives a password
 * or changes a row. A new question is a new entry.
 */
export const served = {
  findMailboxes: { columns: ["username", "uid", "gid", "home", "suspended"], names: true },
  findAliases: { columns: ["username", "alias", "alias_username", "alias_host"] },
  findAliasRows: { columns: ["username", "alias", "alias_username", "alias_host", "position"] },
  findVirtual: { columns: ["username", "ext", "virtual_username", "virtual_host"] },
  findVirtualHosts: { columns: ["virtual_host"], names: true },
  findFunkyVirtual: { columns: ["username", "ext", "virtual_username", "virtual_host"] },
  findFunkyHosts: { columns: ["virtual_host"], names: true },
} as const satisfies Partial<Record<keyof typeof statements, Served>>;

const byName: ReadonlyMap<string, Served> = new Map(Object.entries(served));
const nameOf = new Map(Object.keys(served).map((name) => [statements[name as keyof typeof served], name]));

export function servedByName(name: string): (Served & { readonly statement: Statement }) | undefined {
  const entry = byName.get(name);
  return entry && { ...entry, statement: statements[name as keyof typeof served] };
}

export function servedName(statement: Statement): string | undefined {
  return nameOf.get(statement as (typeof statements)[keyof typeof served]);
}

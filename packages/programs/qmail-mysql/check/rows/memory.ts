import { type Database, type Row, type Statement, statements, toMailbox } from "@qmail-mysql/database";
import { type AliasRow, like, type VirtualRow } from "@qmail-mysql/routing";
import type { Store } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { columnFix } from "../../tables/column-fix.ts";
import type { Problem } from "./problem.ts";

const MAILBOX_COLUMNS = ["username", "uid", "gid", "home", "suspended", "password_type"];

/** All rows of the tables, in memory. */
export interface Memory {
  /** By name in lower case; a row is packed into one string, since there may be a million. */
  readonly boxes: ReadonlyMap<string, string>;
  /** Names that more than one row has. */
  readonly twice: ReadonlySet<string>;
  readonly aliases: readonly AliasRow[];
  readonly virtuals: readonly VirtualRow[];
  readonly rcpthosts: readonly string[];
}

export function mailboxRow(packed: string): Row {
  const values = packed.split("\0");
  return Object.fromEntries(MAILBOX_COLUMNS.map((column, i) => [column, values[i] ?? ""]));
}

/** Reads all tables; returns the problems if the tables themselves are wrong. Throws Trouble. */
export async function readTables(
  database: Database,
  sqlFix: (sql: string) => string,
): Promise<Memory | Problem[]> {
  const boxes = new Map<string, string>();
  const twice = new Set<string>();
  const aliases: AliasRow[] = [];
  const virtuals: VirtualRow[] = [];
  const rcpthosts: string[] = [];
  const readers: [string, Statement, (columns: string[]) => void][] = [
    [
      "mailbox",
      statements.listMailboxes,
      (columns) => {
        const name = lower(columns[0] ?? "");
        if (boxes.has(name)) twice.add(name);
        boxes.set(name, columns.join("\0"));
      },
    ],
    [
      "alias",
      statements.listAliases,
      ([username = "", alias = "", aliasUsername = "", aliasHost = ""]) =>
        aliases.push({ username, alias, aliasUsername, aliasHost }),
    ],
    [
      "virtual",
      statements.listVirtual,
      ([username = "", ext = "", virtualUsername = "", virtualHost = ""]) =>
        virtuals.push({ username, ext, virtualUsername, virtualHost }),
    ],
    ["rcpthosts", statements.eachRcptHost, ([host = ""]) => rcpthosts.push(lower(host))],
  ];
  const problems: Problem[] = [];
  for (const [table, statement, each] of readers) {
    const problem = await read(database, table, statement, each, sqlFix);
    if (problem) problems.push(problem);
  }
  return problems.length > 0 ? problems : { boxes, twice, aliases, virtuals, rcpthosts };
}

async function read(
  database: Database,
  table: string,
  statement: Statement,
  each: (columns: string[]) => void,
  sqlFix: (sql: string) => string,
): Promise<Problem | undefined> {
  try {
    await database.stream(statement, [], each);
    return undefined;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (/no such table|Table '[^']*' doesn't exist/.test(error.message)) {
      return { what: `table ${table}`, problem: "does not exist", fix: "qmail-mysql init" };
    }
    const missing = columnFix(table, error.message.replace(/no such column: (\w+)/, "no column named $1"));
    if (!missing) throw error;
    const problem = `column ${missing.column} ${missing.problem}`;
    return { what: `table ${table}`, problem, fix: sqlFix(missing.fix) };
  }
}

/** The lookups of the mail programs, over the rows in memory. */
export function storeOverMemory(
  memory: Memory,
  funky: boolean,
): Pick<Store, "findMailboxes" | "findAliases" | "findVirtual" | "findVirtualHosts"> {
  const aliasesOf = groups(memory.aliases, (row) => lower(row.username));
  const virtualAt = groups(
    memory.virtuals,
    (row) => `${lower(row.virtualUsername)}@${lower(row.virtualHost)}`,
  );
  const hosts = new Set(memory.virtuals.map((row) => lower(row.virtualHost)));
  const patterns = funky
    ? memory.virtuals.filter((row) => /[%_\\]/.test(row.virtualHost + row.virtualUsername))
    : [];
  return {
    findMailboxes: async (names) =>
      names.flatMap((name) => {
        const packed = memory.boxes.get(name);
        return packed === undefined ? [] : [toMailbox(mailboxRow(packed))];
      }),
    findAliases: async (user, keys) =>
      (aliasesOf.get(user) ?? []).filter((row) => keys.includes(lower(row.alias))),
    findVirtual: async (local, host) => [
      ...new Set([
        ...(virtualAt.get(`${local}@${host}`) ?? []),
        ...(virtualAt.get(`@${host}`) ?? []),
        ...patterns,
      ]),
    ],
    findVirtualHosts: async (asked) =>
      asked.flatMap((host) => {
        const exact = hosts.has(host);
        return exact || patterns.some((row) => like(host, row.virtualHost)) ? [{ host, exact }] : [];
      }),
  };
}

export function groups<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const map = new Map<string, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const list = map.get(key);
    if (list) list.push(row);
    else map.set(key, [row]);
  }
  return map;
}

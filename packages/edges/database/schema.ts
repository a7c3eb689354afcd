import { Trouble } from "@qmail-mysql/trouble";
import type { Arguments, Ask, Question } from "./questions.ts";
import { ROWS } from "./records.ts";
import type { Row, Value } from "./row.ts";

/** The statement for a question, and the values for each time that it has to be run. */
interface Lookup<A> {
  readonly sql: string;
  readonly values: (values: A) => Value[][];
}

/** The statements for all questions. */
export type Schema = { readonly [Q in Question]: Lookup<Arguments[Q]> };

const NAMES = 8; // names per statement; a fixed number, so that few statements are prepared
const ALIASES = 4;
const holders = (n: number) => Array(n).fill("?").join(", ");

/** Divides values into lists of exactly `n`; the last list is filled by repeating its first value. */
function lots(values: readonly string[], n: number): string[][] {
  const all: string[][] = [];
  for (let at = 0; at < values.length; at += n) {
    const lot = values.slice(at, at + n);
    while (lot.length < n) lot.push(lot[0] ?? "");
    all.push(lot);
  }
  return all;
}

const VIRTUAL = "SELECT username, ext, virtual_username, virtual_host FROM `virtual`";
const ALIAS = "SELECT username, alias, alias_username, alias_host FROM alias";

/** The tables of qmail/MySQL. `virtual` is a reserved word of MySQL 8. */
const common = {
  findMailboxes: {
    sql: `SELECT username, uid, gid, home, suspended FROM mailbox WHERE username IN (${holders(NAMES)}) LIMIT ${ROWS}`,
    values: (names) => lots(names, NAMES),
  },
  findLogin: {
    sql: `SELECT username, uid, gid, home, suspended, password, password_type
      FROM mailbox WHERE username = ? LIMIT ${ROWS}`,
    values: (name) => [[...name]],
  },
  // Of the first rows only, for it is part of every refusal; most locked passwords are short or begin with "!".
  decoy: {
    sql: `SELECT password, password_type FROM (SELECT password, password_type FROM mailbox LIMIT 1000) AS first
      WHERE LENGTH(password) > 2 AND password NOT LIKE '!%' LIMIT 16`,
    values: () => [[]],
  },
  findVirtualHosts: {
    sql: `SELECT DISTINCT virtual_host FROM \`virtual\` WHERE virtual_host IN (${holders(NAMES)}) LIMIT ${ROWS}`,
    values: (hosts) => lots(hosts, NAMES),
  },
  findFunkyVirtual: {
    sql: `${VIRTUAL}
      WHERE (virtual_host = ? OR INSTR(virtual_host, '%') > 0 OR INSTR(virtual_host, '_') > 0)
        AND (COALESCE(virtual_username, '') = ?
          OR INSTR(virtual_username, '%') > 0 OR INSTR(virtual_username, '_') > 0) LIMIT ${ROWS}`,
    values: (address) => [[...address]],
  },
  findFunkyHosts: {
    sql: `SELECT DISTINCT virtual_host FROM \`virtual\`
      WHERE virtual_host IN (${holders(NAMES)}) OR INSTR(virtual_host, '%') > 0 OR INSTR(virtual_host, '_') > 0
      LIMIT ${ROWS}`,
    values: (hosts) => lots(hosts, NAMES),
  },
} as const satisfies Partial<Schema>;

// NULL is the same as blank. Rows with NULL are always returned; the caller compares them.
// MySQL finds them in one range of the index; SQLite would not use the second column of the index for an OR.

const mysqlAliases = (select: string) => ({
  sql: `${select} WHERE username = ? AND (alias IN (${holders(ALIASES)}) OR alias IS NULL) LIMIT ${ROWS}`,
  values: ([user, ...aliases]: Arguments["findAliases"]) =>
    lots(aliases, ALIASES).map((lot) => [user, ...lot]),
});

const sqliteAliases = (select: string) => ({
  sql: `${select} WHERE username = ? AND alias IN (${holders(ALIASES)})
    UNION ALL ${select} WHERE username = ? AND alias IS NULL LIMIT ${ROWS}`,
  values: ([user, ...aliases]: Arguments["findAliases"]) =>
    lots(aliases, ALIASES).map((lot) => [user, ...lot, user]),
});

export const schemas: { readonly mysql: Schema; readonly sqlite: Schema } = {
  mysql: {
    ...common,
    findAliases: mysqlAliases(ALIAS),
    findAliasRows: mysqlAliases("SELECT * FROM alias"),
    findVirtual: {
      sql: `${VIRTUAL} WHERE virtual_host = ? AND (virtual_username IN (?, '') OR virtual_username IS NULL) LIMIT ${ROWS}`,
      values: (address) => [[...address]],
    },
  },
  sqlite: {
    ...common,
    findAliases: sqliteAliases(ALIAS),
    findAliasRows: sqliteAliases("SELECT * FROM alias"),
    findVirtual: {
      sql: `${VIRTUAL} WHERE virtual_host = ? AND virtual_username IN (?, '')
        UNION ALL ${VIRTUAL} WHERE virtual_host = ? AND virtual_username IS NULL LIMIT ${ROWS}`,
      values: ([host, local]) => [[host, local, host]],
    },
  },
};

/** Implements the questions for a database that runs the statements of a schema. */
export function askBySchema(
  schema: Schema,
  query: (sql: SchemaStatement, values: readonly Value[]) => Promise<Row[]>,
): Ask {
  return async (question, values) => {
    const { sql, values: toRun } = schema[question];
    const found: Row[] = [];
    for (const each of toRun(values)) {
      const rows = await query(sql as SchemaStatement, each);
      if (rows.length === ROWS)
        throw new Trouble(`unable to use the ${tableOf(sql)} table: ${ROWS} rows or more for one address`);
      found.push(...rows);
    }
    return found;
  };
}

function tableOf(sql: string): string {
  return /FROM `?(\w+)/.exec(sql)?.[1] ?? "";
}

declare const brand: unique symbol;
/** A statement of a schema. */
export type SchemaStatement = string & { readonly [brand]: "schema" };

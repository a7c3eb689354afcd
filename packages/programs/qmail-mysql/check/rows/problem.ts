import type { AliasRow, VirtualRow } from "@qmail-mysql/routing";

/** A problem and the command that corrects it. */
export interface Problem {
  /** The row, file or directory. */
  readonly what: string;
  readonly problem: string;
  /** A command for a root shell, or a description where no command is known. */
  readonly fix: string;
}

export function aliasName(row: AliasRow): string {
  return `alias row ("${row.username}", "${row.alias}", "${row.aliasUsername}", "${row.aliasHost}")`;
}

export function virtualName(row: VirtualRow): string {
  return `virtual row ("${row.username}", "${row.ext}", "${row.virtualUsername}", "${row.virtualHost}")`;
}

type Columns = Readonly<Record<string, string>>;

const literal = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
const equals = (columns: Columns, between: string): string =>
  Object.entries(columns)
    .map(([column, value]) => `${column} = ${literal(value)}`)
    .join(between);

/** SQL that is printed for the administrator: the only place where values are written into SQL. */
export const rowSql = {
  remove: (table: string, row: Columns): string => `DELETE FROM \`${table}\` WHERE ${equals(row, " AND ")}`,
  update: (table: string, to: Columns, row: Columns): string =>
    `UPDATE \`${table}\` SET ${equals(to, ", ")} WHERE ${equals(row, " AND ")}`,
};

export const aliasColumns = (row: AliasRow) => ({
  username: row.username,
  alias: row.alias,
  alias_username: row.aliasUsername,
  alias_host: row.aliasHost,
});

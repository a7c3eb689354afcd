import { type Database, type Row, type Statement, statements } from "@qmail-mysql/database";
import { rowText } from "@qmail-mysql/routing";
import { Die, HARD } from "@qmail-mysql/trouble";
import { lower } from "@qmail-mysql/wire";
import { change, notKept, text } from "./change.ts";

/** How rows of a table are found, added and deleted. All columns together identify a row. */
export interface RowTable {
  readonly table: string;
  readonly columns: readonly string[];
  /** The columns of a lookup, in the order of the placeholders of `show`; case-insensitive. */
  readonly key: readonly string[];
  readonly show: Statement;
  readonly add: Statement;
  readonly del: Statement;
}

export const ALIAS: RowTable = {
  table: "alias",
  columns: ["username", "alias", "alias_username", "alias_host"],
  key: ["username", "alias"],
  show: statements.showAliases,
  add: statements.addAlias,
  del: statements.deleteAlias,
};

export const VIRTUAL: RowTable = {
  table: "virtual",
  columns: ["username", "ext", "virtual_username", "virtual_host"],
  key: ["virtual_username", "virtual_host"],
  show: statements.showVirtual,
  add: statements.addVirtual,
  del: statements.deleteVirtual,
};

export const RCPTHOSTS: RowTable = {
  table: "rcpthosts",
  columns: ["host"],
  key: ["host"],
  show: statements.showRcptHost,
  add: statements.addRcptHost,
  del: statements.deleteRcptHost,
};

/** A row in a message. */
export function named({ table, columns }: RowTable, row: Row): string {
  return rowText(
    table,
    columns.map((column) => row[column] ?? ""),
  );
}

/** Returns the rows with exactly this key, not those that are only equal in the collation. */
export async function findRows(database: Database, table: RowTable, wanted: Row): Promise<Row[]> {
  const values = table.key.map((column) => text(wanted[column] ?? ""));
  const rows = await database.query(table.show, values);
  return rows.filter((row) =>
    table.key.every((column) => lower(row[column] ?? "") === lower(wanted[column] ?? "")),
  );
}

const isSame = (table: RowTable, a: Row, b: Row): boolean =>
  table.columns.every((column) =>
    table.key.includes(column)
      ? lower(a[column] ?? "") === lower(b[column] ?? "")
      : (a[column] ?? "") === (b[column] ?? ""),
  );

/** Adds a new row, and verifies that it was stored. */
export async function addRow(database: Database, table: RowTable, row: Row): Promise<void> {
  if ((await findRows(database, table, row)).some((other) => isSame(table, other, row))) {
    throw new Die(HARD, `${named(table, row)} exists`);
  }
  const values = table.columns.map((column) => text(row[column] ?? ""));
  await change(database, table.table, named(table, row), table.add, values);
  const stored = await database.query(
    table.show,
    table.key.map((column) => text(row[column] ?? "")),
  );
  if (stored.some((other) => isSame(table, other, row))) return;
  await database.change(table.del, values);
  const other = stored.at(-1);
  const column = table.columns.find((name) => other?.[name] !== row[name]) ?? table.columns[0] ?? "";
  throw notKept(table.table, named(table, row), column);
}

/** Deletes a row that findRows returned; refuses if other rows are equal to it in the collation. */
export async function deleteRow(database: Database, table: RowTable, row: Row): Promise<void> {
  const values = table.columns.map((column) => text(row[column] ?? ""));
  const rows = await database.query(
    table.show,
    table.key.map((column) => text(row[column] ?? "")),
  );
  const other = rows.find((one) => !isSame(table, one, row) && looksSame(table, one, row));
  if (other) {
    throw new Die(
      HARD,
      `${named(table, row)} cannot be told from ${named(table, other)} by the database; fix: delete it by hand, comparing BINARY`,
    );
  }
  await database.change(table.del, values);
}

/** May rows be equal in a collation, which may ignore case, accents and trailing blanks? */
function looksSame(table: RowTable, a: Row, b: Row): boolean {
  const plain = (value = "") =>
    lower(text(value).normalize("NFKD").replace(/\p{M}/gu, "")).trimEnd().toLowerCase();
  return table.columns.every((column) => plain(a[column]) === plain(b[column]));
}

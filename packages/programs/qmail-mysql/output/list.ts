import type { Database, Row, Statement } from "@qmail-mysql/database";
import type { Context } from "../context.ts";
import { buffered, jsonArray, tableLayout } from "./table.ts";

export interface ListOptions {
  readonly json?: true;
}

/** How to list the rows of a statement. */
export interface Listing {
  readonly statement: Statement;
  /** The columns of the statement and of the printed table. */
  readonly columns: readonly string[];
  readonly matches: (row: Row) => boolean;
  /** The object for --json; default: the row. */
  readonly shown?: (row: Row) => unknown;
  readonly cells?: (row: Row) => readonly string[];
}

/** Iterates over the rows of a statement without holding all of them in memory. */
export function eachRow(
  database: Database,
  statement: Statement,
  columns: readonly string[],
  each: (row: Row) => void,
): Promise<void> {
  return database.stream(statement, [], (values) =>
    each(Object.fromEntries(columns.map((column, i) => [column, values[i] ?? ""]))),
  );
}

/** Prints any number of rows as JSON, or as a table, for which they are read twice: first for the widths. */
export async function list(context: Context, listing: Listing, options: ListOptions): Promise<void> {
  const { statement, columns, matches } = listing;
  await context.withDatabase("resident", async (database) => {
    const each = (use: (row: Row) => void) =>
      eachRow(database, statement, columns, (row) => matches(row) && use(row));
    if (options.json) {
      const out = jsonArray(context.print);
      await each((row) => out.add(listing.shown ? listing.shown(row) : row));
      return out.end();
    }
    const cells = listing.cells ?? ((row: Row) => columns.map((column) => row[column] ?? ""));
    const layout = tableLayout(columns);
    await each((row) => layout.measure(cells(row)));
    const out = buffered(context.print);
    out.add(`${context.bold(layout.line(columns))}\n`);
    await each((row) => out.add(`${layout.line(cells(row))}\n`));
    out.end();
  });
}

import type { Database, Row, Statement } from "@qmail-mysql/database";
import type { Context } from "../context.ts";
import { buffered, jsonArray, tableLayout } from "./table.ts";

export interface ListOptions {
  readonly json?: true;
}

/** How the rows of a statement are listed. */
export interface Listing {
  readonly statement: Statement;
  /** Of the statement and of the table on the screen. */
  readonly columns: readonly string[];
  readonly matches: (row: Row) => boolean;
  /** The object for --json; the row itself unless said otherwise. */
  readonly shown?: (row: Row) => unknown;
  readonly cells?: (row: Row) => readonly string[];
}

/** Every row of a statement, without gathering them. */
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

/** Prints rows, however many: as JSON, or as a table, whose rows are read twice for the sake of its widths. */
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

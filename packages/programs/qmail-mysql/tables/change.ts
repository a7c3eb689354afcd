import type { Database, Statement, Value } from "@qmail-mysql/database";
import { Trouble } from "@qmail-mysql/trouble";
import { toText } from "@qmail-mysql/wire";
import { columnFix } from "./column-fix.ts";

/** The text of a byte string that is known to be UTF-8: validated, or read from the database. */
export const text = (bytes: string): string => toText(bytes) ?? "";

/** Runs a change. Adds the correction to an error about a column's type: in strict mode nothing was changed. */
export async function change(
  database: Database,
  table: string,
  what: string,
  statement: Statement,
  values: readonly Value[],
): Promise<void> {
  try {
    await database.change(statement, values);
  } catch (error) {
    const fix = error instanceof Trouble && columnFix(table, error.message);
    if (!fix) throw error;
    throw new Trouble(
      `unable to store ${what}: column ${table}.${fix.column} ${fix.problem}, nothing was changed; fix: ${fix.fix}`,
    );
  }
}

/** The error for a column that does not contain the value that was stored; the caller has undone the change. */
export function notKept(table: string, what: string, column: string): Trouble {
  const fix = columnFix(table, `Data too long for column '${column}'`)?.fix;
  return new Trouble(
    `unable to store ${what}: column ${table}.${column} did not keep the value, what was there before is back; fix: ${fix}`,
  );
}

/** A row of a table in one line, for explanations. */
export function rowText(table: string, columns: readonly string[]): string {
  return `${table} row (${columns.map((column) => `"${column}"`).join(", ")})`;
}

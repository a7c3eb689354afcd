/**
 * sql/mysql/grants.sql for the database `db`. Its name goes into an identifier, where ` is doubled; in GRANT
 * an unescaped _ or % would be a wildcard for other databases' names.
 */
export function fillGrants(sql: string, db: string): string {
  const name = db.replaceAll("`", "``").replace(/[\\_%]/g, "\\$&");
  return sql.replaceAll("`qmail`", () => `\`${name}\``);
}

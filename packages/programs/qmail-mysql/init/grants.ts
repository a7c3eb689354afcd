/**
 * sql/mysql/grants.sql for the database `db`. Its name goes into an identifier, where ` is doubled. Only where a
 * whole database is granted would an unescaped _ or % stand for other databases' names.
 */
export function fillGrants(sql: string, db: string): string {
  const name = db.replaceAll("`", "``");
  const pattern = name.replace(/[\\_%]/g, "\\$&");
  return sql.replaceAll("`qmail`.*", () => `\`${pattern}\`.*`).replaceAll("`qmail`.", () => `\`${name}\`.`);
}

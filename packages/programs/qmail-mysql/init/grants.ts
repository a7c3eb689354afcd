/**
 * Returns sql/mysql/grants.sql for the database `db`. In an identifier ` is doubled; in a grant on a whole database
 * _ and % are escaped, since they would match the names of other databases.
 */
export function fillGrants(sql: string, db: string): string {
  const name = db.replaceAll("`", "``");
  const pattern = name.replace(/[\\_%]/g, "\\$&");
  return sql.replaceAll("`qmail`.*", () => `\`${pattern}\`.*`).replaceAll("`qmail`.", () => `\`${name}\`.`);
}

/** An account that the grants create, and the control file for its password. */
export interface GrantedAccount {
  readonly login: string;
  readonly file: string;
  readonly password: string;
}

const PLACEHOLDERS = [
  ["CHANGE-ME-1", "qmail", "sqlserver"],
  ["CHANGE-ME-2", "qmailadmin", "sqlserver-admin"],
  ["CHANGE-ME-3", "qmailrelay", "sql"],
] as const;

/** Replaces each placeholder with a password from `make`; returns the SQL and the accounts. */
export function fillPasswords(
  sql: string,
  make: () => string,
): { readonly sql: string; readonly accounts: readonly GrantedAccount[] } {
  const accounts = PLACEHOLDERS.map(([placeholder, login, file]) => ({
    placeholder,
    login,
    file,
    password: make(),
  }));
  const filled = accounts.reduce(
    (text, { placeholder, password }) => text.replaceAll(`'${placeholder}'`, () => `'${password}'`),
    sql,
  );
  return { sql: filled, accounts };
}

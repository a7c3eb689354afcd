/**
 * sql/mysql/grants.sql for the database `db`. Its name goes into an identifier, where ` is doubled. Only where a
 * whole database is granted would an unescaped _ or % stand for other databases' names.
 */
export function fillGrants(sql: string, db: string): string {
  const name = db.replaceAll("`", "``");
  const pattern = name.replace(/[\\_%]/g, "\\$&");
  return sql.replaceAll("`qmail`.*", () => `\`${pattern}\`.*`).replaceAll("`qmail`.", () => `\`${name}\`.`);
}

/** An account of the grants, and the control file that holds its password. */
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

/** Puts a password that `make` makes in the place of each placeholder; returns the accounts, too. */
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

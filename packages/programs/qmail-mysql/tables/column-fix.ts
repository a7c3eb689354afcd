/** A change that the database refused because of the type of a column: the column and a statement that corrects it. */
export interface ColumnFix {
  readonly column: string;
  readonly problem: string;
  readonly fix: string;
}

// Messages of MySQL, MariaDB and SQLite; a column's name may be preceded by those of its database and table.
const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/Data too long for column [`'"]([^'"]+)[`'"]/i, "is too narrow for the value"],
  [/Data truncated for column [`'"]([^'"]+)[`'"]/i, "does not take the value"],
  [/Out of range value for column [`'"]([^'"]+)[`'"]/i, "is too small for the number"],
  [
    /Incorrect string value: .* for column [`'"]([^'"]+)[`'"]/i,
    "cannot spell the value in its character set",
  ],
  [/Unknown column [`'"]([^'"]+)[`'"]/i, "does not exist"],
  [/no column named (\w+)/i, "does not exist"],
];

const WIDEST: Readonly<Record<string, string>> = {
  username: "varchar(128) NOT NULL",
  uid: "int unsigned NOT NULL",
  gid: "int unsigned NOT NULL",
  password_type: "enum('Password','Crypt-Password','MySQL-Password') NOT NULL DEFAULT 'Password'",
  suspended: "enum('N','Y') NOT NULL DEFAULT 'N'",
};
const TEXT = "varchar(255) NOT NULL DEFAULT ''";

/** Parses the error message for a change of `table`; undefined if it is not about the type of a column. */
export function columnFix(table: string, message: string): ColumnFix | undefined {
  for (const [pattern, problem] of REFUSALS) {
    const named = pattern.exec(message)?.[1];
    if (named === undefined) continue;
    const column = named.replace(/^.*[`.]/, "").toLowerCase();
    const type = WIDEST[column] ?? TEXT;
    const verb = problem === "does not exist" ? `ADD ${column}` : `MODIFY ${column}`;
    const charset = problem.includes("character set")
      ? type.replace(/^(varchar\(\d+\))/, "$1 CHARACTER SET utf8mb4")
      : type;
    return { column, problem, fix: `ALTER TABLE \`${table}\` ${verb} ${charset}` };
  }
  return undefined;
}

const HARMLESS = new Set(["USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "BINLOG MONITOR"]);
const TABLES = ["mailbox", "alias", "virtual", "rcpthosts"];

/** The privileges of an account on the tables, other than for reading, from the output of SHOW GRANTS. */
export function writePrivileges(grants: readonly string[], db: string): string[] {
  const found = new Set<string>();
  for (const grant of grants) {
    const match = /^GRANT (.+?) ON (\S+) TO (.*)$/is.exec(grant);
    if (!match || !coversTables(match[2] ?? "", db)) continue;
    for (const privilege of (match[1] ?? "").replace(/\([^)]*\)/g, "").split(",")) {
      const name = privilege.trim().toUpperCase();
      if (!HARMLESS.has(name)) found.add(name);
    }
    if (/WITH .*GRANT OPTION/i.test(match[3] ?? "")) found.add("GRANT OPTION");
  }
  return [...found].sort();
}

const coversTables = (scope: string, db: string): boolean => TABLES.some((table) => covers(scope, db, table));

/** *.*  `db`.*  `db`.`table` */
function covers(scope: string, db: string, table: string): boolean {
  const [database = "", granted = ""] = scope
    .split(".")
    .map((part) => part.replace(/^`|`$/g, "").replace(/``/g, "`"));
  if (database === "*") return true;
  const pattern = database.replace(/\\([_%])/g, "$1");
  return (pattern === db || database === db) && (granted === "*" || table === granted.toLowerCase());
}

/** May an account add rows to a table? */
export function mayInsert(grants: readonly string[], db: string, table: string): boolean {
  return grants.some((grant) => {
    const match = /^GRANT (.+?) ON (\S+) TO /is.exec(grant);
    const privileges = (match?.[1] ?? "").split(",").map((one) => one.trim().toUpperCase());
    return (
      match !== null &&
      covers(match[2] ?? "", db, table) &&
      privileges.some((one) => /^(INSERT|ALL)/.test(one))
    );
  });
}

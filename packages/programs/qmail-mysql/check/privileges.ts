const HARMLESS = new Set(["USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "BINLOG MONITOR"]);
const TABLES = ["mailbox", "alias", "virtual", "rcpthosts"];

/** What an account may do to our tables beyond reading them, from what SHOW GRANTS says of it. */
export function writePrivileges(grants: readonly string[], db: string): string[] {
  const found = new Set<string>();
  for (const grant of grants) {
    const match = /^GRANT (.+?) ON (\S+) TO (.*)$/is.exec(grant);
    if (!match || !concernsUs(match[2] ?? "", db)) continue;
    for (const privilege of (match[1] ?? "").replace(/\([^)]*\)/g, "").split(",")) {
      const name = privilege.trim().toUpperCase();
      if (!HARMLESS.has(name)) found.add(name);
    }
    if (/WITH .*GRANT OPTION/i.test(match[3] ?? "")) found.add("GRANT OPTION");
  }
  return [...found].sort();
}

/** *.*  `db`.*  `db`.`table` */
function concernsUs(scope: string, db: string): boolean {
  const [database = "", table = ""] = scope
    .split(".")
    .map((part) => part.replace(/^`|`$/g, "").replace(/``/g, "`"));
  if (database === "*") return true;
  const pattern = database.replace(/\\([_%])/g, "$1");
  return (pattern === db || database === db) && (table === "*" || TABLES.includes(table.toLowerCase()));
}

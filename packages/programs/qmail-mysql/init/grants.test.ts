import { expect, test } from "vitest";
import { fillGrants } from "./grants.ts";

test("a database's name means no other database", () => {
  const sql = "GRANT SELECT ON `qmail`.* TO 'qmail'; GRANT INSERT ON `qmail`.relay TO 'qmail';";
  expect(fillGrants(sql, "my_ma`il$&")).toBe(
    "GRANT SELECT ON `my\\_ma``il$&`.* TO 'qmail'; GRANT INSERT ON `my_ma``il$&`.relay TO 'qmail';",
  );
});

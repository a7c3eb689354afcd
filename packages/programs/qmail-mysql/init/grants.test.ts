import { expect, test } from "vitest";
import { fillGrants, fillPasswords } from "./grants.ts";

test("a grant applies to no other database", () => {
  const sql = "GRANT SELECT ON `qmail`.* TO 'qmail'; GRANT INSERT ON `qmail`.relay TO 'qmail';";
  expect(fillGrants(sql, "my_ma`il$&")).toBe(
    "GRANT SELECT ON `my\\_ma``il$&`.* TO 'qmail'; GRANT INSERT ON `my_ma``il$&`.relay TO 'qmail';",
  );
});

test("each account gets a password of its own", () => {
  let n = 0;
  const sql = "IDENTIFIED BY 'CHANGE-ME-1'; IDENTIFIED BY 'CHANGE-ME-2'; IDENTIFIED BY 'CHANGE-ME-3';";
  const filled = fillPasswords(sql, () => `p$&${++n}`);
  expect(filled.sql).toBe("IDENTIFIED BY 'p$&1'; IDENTIFIED BY 'p$&2'; IDENTIFIED BY 'p$&3';");
  expect(filled.accounts.map(({ file, password }) => `${file} ${password}`)).toEqual([
    "sqlserver p$&1",
    "sqlserver-admin p$&2",
    "sql p$&3",
  ]);
});

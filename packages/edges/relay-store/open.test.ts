import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSqlServer } from "@qmail-mysql/store";
import { afterAll, expect, test } from "vitest";
import { readSql } from "./open.ts";

const home = mkdtempSync(join(tmpdir(), "control-"));
mkdirSync(join(home, "control"));
afterAll(() => rmSync(home, { recursive: true }));

test("a password beyond ASCII is the same in control/sqlserver and in control/sql", () => {
  writeFileSync(join(home, "control/sqlserver"), "login q\npassword pässwört\ndb mail\n");
  writeFileSync(join(home, "control/sql"), "user q\npass pässwört\ndatabase mail\n");
  expect(readSqlServer(home, "test").password).toBe("pässwört");
  expect(readSql(home, "test").database?.password).toBe("pässwört");
});

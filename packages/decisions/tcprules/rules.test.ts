import { createHash } from "node:crypto";
import { cdbWriter } from "@qmail-mysql/cdb";
import { expect, test } from "vitest";
import { compileRules, RuleError } from "./index.ts";

test("the rules cdb is the file tcprules makes", () => {
  const chunks: Buffer[] = [];
  const writer = cdbWriter((chunk) => chunks.push(Buffer.from(chunk)));
  compileRules('127.:allow,RELAYCLIENT=""\n10.1.2.3:deny\n:allow\n', writer);
  const header = writer.finish();
  const file = Buffer.concat(chunks);
  file.set(header);
  expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([
    2148,
    "26ad7f86c91c9c207b7e2851afa057f37749bd7b0b9678b2e834e5fb1925af28",
  ]);
});

// observed behaviour of tcprules
test.each([
  ['a:deny,X="a"', [["a", "D\0+X=a\0"]]],
  ['a:allow,RELAYCLIENT=""', [["a", "+RELAYCLIENT=\0"]]],
  ["1.2.3.37-39:allow", [1, 2, 3].map((n) => [`1.2.3.${36 + n}`, ""])],
  ["1.2.3.254-999:allow", ["1.2.3.254", "1.2.3.255"].map((key) => [key, ""])],
  ["9-3:allow", []],
  ["no colon", []],
  ["#a:deny", []],
  ["Host:allow", [["Host", ""]]],
])("%j", (line, expected) => {
  const records: [string, string][] = [];
  compileRules(line, { add: (key, data) => records.push([key, data]) });
  expect(records).toEqual(expected);
});

test("a line that cannot be parsed is named", () => {
  expect(() => compileRules("a:allow\nb:yes\n", { add: () => {} })).toThrow(new RuleError("b:yes"));
});

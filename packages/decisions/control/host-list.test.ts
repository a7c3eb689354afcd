import { createHash } from "node:crypto";
import { cdbWriter } from "@qmail-mysql/cdb";
import { expect, test } from "vitest";
import { morercpthostsKeys } from "./index.ts";

test("morercpthosts.cdb is the file qmail-newmrh makes", () => {
  const chunks: Buffer[] = [];
  const writer = cdbWriter((chunk) => chunks.push(Buffer.from(chunk)));
  for (const key of morercpthostsKeys("Example.com\n.Example.net")) writer.add(key, "");
  const header = writer.finish();
  const file = Buffer.concat(chunks);
  file.set(header);
  expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([
    2119,
    "9fb7acea7037c63b77aab3e7577ffcee91f90e6149654ac3134bee87549691d7",
  ]);
});

test.each([
  ["a\n\n# b\nc \t\n d\n#\ne", ["a", "c", " d", "e"]],
  [" # not a comment\n", [" # not a comment"]],
  ["", []],
])("%j has the keys %j", (text, keys) => {
  expect([...morercpthostsKeys(text)]).toEqual(keys);
});

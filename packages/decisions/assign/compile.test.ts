import { createHash } from "node:crypto";
import { cdbWriter } from "@qmail-mysql/cdb";
import { describe, expect, test } from "vitest";
import { AssignError, compileAssign } from "./index.ts";

function compiled(text: string): [string, string][] {
  const records: [string, string][] = [];
  compileAssign(text, { add: (key, data) => records.push([key, data]) });
  return records;
}

test("users/cdb is the file qmail-newu makes", () => {
  const chunks: Buffer[] = [];
  const writer = cdbWriter((chunk) => chunks.push(Buffer.from(chunk)));
  compileAssign(
    "=joe:joe:8001:8001:/home/joe:::\n+joe-:joe:8001:8001:/home/joe:-::\n+:alias:7790:2108:/var/qmail/alias:-::\n.\n",
    writer,
  );
  const header = writer.finish();
  const file = Buffer.concat(chunks);
  file.set(header);
  expect([file.length, createHash("sha256").update(file).digest("hex")]).toEqual([
    2242,
    "6d44d3ea5313c8b574197be279a8fff18634ce541b65e64c1229348ce82b5472",
  ]);
});

// observed behaviour of qmail-newu
describe("a line becomes a record", () => {
  test.each([
    ["=Joe:u:1:2:/h:::", ["!joe\0", "u\x001\x002\0/h\0\0"]],
    ["+Joe-:u:1:2:/h:-:Pre:", ["!joe-", "u\x001\x002\0/h\0-\0Pre"]],
    ["+:u:1:2:/h:-::", ["!", "u\x001\x002\0/h\0-\0"]],
    ["xjoe:u:1:2:/h:::", ["!joe\0", "u\x001\x002\0/h\0\0"]],
    ["=joe:u:1:2:/h:::ignored: too", ["!joe\0", "u\x001\x002\0/h\0\0"]],
    ["=zero:root:0:0:/:::", ["!zero\0", "root\x000\x000\0/\0\0"]],
    ["=ex\xe9:u:1:2:/h:::", ["!ex\xe9\0", "u\x001\x002\0/h\0\0"]],
  ])("%j", (line, record) => {
    expect(compiled(`${line}\n.\n`)[0]).toEqual(record);
  });
});

test.each([
  ["", ""],
  ["+a-:u:1:2:/h:-::\n+b.:u:1:2:/h:-::\n+c-:u:1:2:/h:-::\n", "-."],
  ["+jO:u:1:2:/h:-::\n+:u:1:2:/h:-::\n", "O"],
])("the last record of %j names the last characters of the + lines: %j", (text, last) => {
  expect(compiled(`${text}.\n`).at(-1)).toEqual(["", last]);
});

test("a dot ends the table, with or without a line end, whatever follows", () => {
  const joe = "=joe:u:1:2:/h:::\n";
  expect(compiled(`${joe}.`)).toEqual(compiled(`${joe}.\n`));
  expect(compiled(`${joe}.rest\n\n:no\n`)).toEqual(compiled(`${joe}.\n`));
});

test.each([
  ["", "line 1: expected a line with a dot"],
  ["=joe:u:1:2:/h:::\n", "line 2: expected a line with a dot"],
  ["=joe:u:1:2:/h:::", "line 1: has no line end"],
  ["=joe:u:1:2:/h::\n.\n", "line 1: expected 6 fields, each ended by a colon"],
  ["\n.\n", "line 1: expected =local: or +local: first"],
  [":joe:u:1:2:/h:::\n.\n", "line 1: expected =local: or +local: first"],
  ["joe\n.\n", "line 1: expected =local: or +local: first"],
  ["=joe:u:1:2:/h\0:::\n.\n", "line 1: holds a NUL"],
])("%j is refused: %s", (text, message) => {
  expect(() => compiled(text)).toThrow(new AssignError(message));
});

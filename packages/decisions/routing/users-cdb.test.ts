import { describe, expect, test } from "vitest";
import { findAssigned, NoWildcards, ShortRecord } from "./users-cdb.ts";

// the records that qmail-newu(8) writes for =joe, +joe-, +ann.x. and +, with the record of their last characters
const records = new Map([
  ["!joe\0", "joe\x0064020\x0064020\0/home/joe\0\0"],
  ["!joe-", "joe\x0064020\x0064020\0/home/joe\0-\0"],
  ["!joe-list-", "list\x0064021\x0064021\0/home/list\0-\0pre-"],
  ["!", "alias\x0064010\x0064001\0/var/qmail/alias\0-\0"],
  ["", "-"],
]);
const get = (key: string) => records.get(key);

test.each([
  ["joe", "joe||", "=joe"],
  ["JOE", "joe||", "=joe"],
  ["joe-Ext", "joe|-|Ext", "+joe-"],
  ["joe-list-Foo", "list|-|pre-Foo", "+joe-list-"],
  ["joex", "alias|-|joex", "+"],
  ["", "alias|-|", "+"],
])("%s -> %s by %s", (local, expected, entry) => {
  const found = findAssigned(local, get);
  expect([[found?.control.user, found?.control.dash, found?.control.ext].join("|"), found?.entry]).toEqual([
    expected,
    entry,
  ]);
});

test("nothing found: qmail-getpw is asked", () => {
  expect(findAssigned("joe", (key) => (key === "" ? "" : undefined))).toBeUndefined();
});

describe("as observed of a stock qmail-lspawn", () => {
  const data = "u\x001\x002\0/h\0-\0pre-";
  const ext = (records: Record<string, string>, local: string) =>
    findAssigned(local, (key) => records[key])?.control.ext;

  test.each([
    ["joe", undefined],
    ["joe-Ext.Foo", "pre-Ext.Foo"],
    ["JOE-x", "pre-x"],
    ["joe-", "pre-"],
    ["jo", undefined],
  ])("joe- is a wildcard: %s", (local, expected) =>
    expect(ext({ "!joe-": data, "": "-" }, local)).toBe(expected),
  );
  test("the empty wildcard needs no end", () => expect(ext({ "!": data, "": "" }, "Any")).toBe("pre-Any"));
  test("the record of wildcards has to be there", () =>
    expect(() => ext({ "!joe\0": data }, "joe")).toThrow(NoWildcards));
  test("a record has six fields", () =>
    expect(() => ext({ "!joe\0": "u\x001\x002\0/h\0-", "": "" }, "joe")).toThrow(ShortRecord));
  test("ids are decimal prefixes, and wrap to 32 bits", () => {
    const record = "u\x008001x\x004294967301\0/h\0\0";
    const control = findAssigned("joe", (key) => ({ "!joe\0": record, "": "" })[key])?.control;
    expect([control?.uid, control?.gid]).toEqual([8001, 5]);
  });
});

import { expect, test } from "vitest";
import { findAssigned } from "./users-cdb.ts";

// qmail-newu(8)'s records for: =joe +joe- +ann.x. + and their ends
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
  expect([found?.fields.filter((_, i) => ![1, 2, 3].includes(i)).join("|"), found?.entry]).toEqual([
    expected,
    entry,
  ]);
});

test("nothing found: qmail-getpw is asked", () => {
  expect(findAssigned("joe", (key) => (key === "" ? "" : undefined))).toBeUndefined();
});

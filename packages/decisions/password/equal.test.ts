import { expect, test } from "vitest";
import { equal } from "./equal.ts";

test.each([
  ["", "", true],
  ["a", "a", true],
  ["a", "b", false],
  ["a", "", false],
  ["", "a", false],
  ["a", "ab", false],
  ["ab", "a", false],
  ["a\0", "a", false],
  ["\xff\0\xfe", "\xff\0\xfe", true],
  ["\xff\0\xfe", "\xff\0\xff", false],
  ["x".repeat(511), "x".repeat(511), true],
])("equal(%j, %j) is %s", (typed, stored, expected) => {
  expect(equal(typed, stored)).toBe(expected);
});

import { expect, test } from "vitest";
import { parseCommand } from "./command.ts";

test.each([
  ["QUIT\r", "quit", ""],
  ["quit", "quit", ""],
  ["PASS  two  words \r", "pass", "two  words "],
  ["PASS \r", "pass", ""],
  ["NOOP\r\r", "noop\r", ""],
  ["USER\tjoe", "user\tjoe", ""],
  [" QUIT", "", "QUIT"],
  ["QUIT\0x", "quit", ""],
  ["PASS a\0b", "pass", "a"],
  ["\u212aILL", "\u212aill", ""],
  ["", "", ""],
])("%j", (line, verb, arg) => {
  expect(parseCommand(line)).toEqual({ verb, arg });
});

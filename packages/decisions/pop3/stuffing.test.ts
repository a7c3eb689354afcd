import { describe, expect, test } from "vitest";
import { stuffing } from "./stuffing.ts";

function sent(message: string, lines: number | undefined, size: number): string {
  const { push, done, end } = stuffing(lines);
  let out = "";
  for (let at = 0; at < message.length && !done(); at += size) {
    out += Buffer.from(push(Buffer.from(message.slice(at, at + size), "latin1"))).toString("latin1");
  }
  return out + end();
}

const END = "\r\n.\r\n";

describe.each([1, 2, 3, 7, 1000])("in pieces of %d bytes", (size) => {
  test.each<[string, number | undefined, string]>([
    ["", undefined, END],
    ["a\n", undefined, `a\r\n${END}`],
    ["a", undefined, `a\r\n${END}`],
    ["\n", undefined, `\r\n${END}`],
    [".\n", undefined, `..\r\n${END}`],
    [".", undefined, `..\r\n${END}`],
    ["a.\n..b\n", undefined, `a.\r\n...b\r\n${END}`],
    ["a\r\n.\r\n", undefined, `a\r\r\n..\r\r\n${END}`],
    ["\0\xff\n", undefined, `\0\xff\r\n${END}`],
    ["h\n\nb1\nb2\n", 0, `h\r\n\r\n${END}`],
    ["h\n\nb1\nb2\n", 1, `h\r\n\r\nb1\r\n${END}`],
    ["h\n\nb1\nb2\n", 2, `h\r\n\r\nb1\r\nb2\r\n${END}`],
    ["h\n\nb1\nb2", 2, `h\r\n\r\nb1\r\nb2\r\n${END}`],
    ["h\n\nb1\nb2\n", 9, `h\r\n\r\nb1\r\nb2\r\n${END}`],
    ["h\n\n\n\nb\n", 2, `h\r\n\r\n\r\n\r\n${END}`],
    ["h1\nh2\n", 0, `h1\r\nh2\r\n${END}`],
    ["\n.b\nc\n", 1, `\r\n..b\r\n${END}`],
  ])("%j, lines %j", (message, lines, expected) => {
    expect(sent(message, lines, size)).toBe(expected);
  });
});

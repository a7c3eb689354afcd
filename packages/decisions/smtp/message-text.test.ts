import { describe, expect, test } from "vitest";
import { decode, newMessageText } from "./message-text.ts";

/** Decodes `input` in pieces; what was passed on, whether a stray byte was seen, how it ended, and the bytes not used. */
function decoded(input: string, size: number) {
  const text = newMessageText();
  const bytes = Buffer.from(input, "latin1");
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const part = decode(text, bytes.subarray(at, at + size));
    out += Buffer.from(part.bytes).toString("latin1");
    at += part.used;
    if (part.outcome !== "more") return [out, text.hasStray, part.outcome, input.slice(at)];
  }
  return [out, text.hasStray, "more", ""];
}

const END = "\r\n.\r\n";

// What stock qmail-smtpd passes to qmail-queue.
describe.each([1, 2, 3, 5, 1000])("in pieces of %d bytes", (size) => {
  test.each<[string, string, boolean, string, string]>([
    [`a${END}QUIT`, "a\n", false, "end", "QUIT"],
    [".\r\n", "", false, "end", ""],
    [`..${END}`, ".\n", false, "end", ""],
    [`.a\r\nb.${END}`, "a\nb.\n", false, "end", ""],
    [`a\r\r\nb${END}`, "a\r\nb\n", true, "end", ""],
    [`a\r${END}`, "a\r\n", true, "end", ""],
    [`a\rb${END}`, "a\rb\n", true, "end", ""],
    [`\r.\r${END}`, "\r.\r\n", true, "end", ""],
    [`.\rX${END}`, ".\rX\n", true, "end", ""],
    [`.\r\r\n.${END}`, ".\r\n", true, "end", ".\r\n"],
    [`\0${END}`, "\0\n", true, "end", ""],
    ["\n", "", false, "LF", ""],
    ["a\nb", "a", false, "LF", "b"],
    ["a\r\n\n", "a\n", false, "LF", ""],
    ["a\n.\r\n", "a", false, "LF", ".\r\n"],
    ["a\r\n.\nb", "a\n", false, "LF", "b"],
    ["a\r\n.\r", "a\n", false, "more", ""],
    ["\xff", "\xff", false, "more", ""],
  ])("%j", (input, out, hasStray, outcome, rest) => {
    expect(decoded(input, size)).toEqual([out, hasStray, outcome, rest]);
  });
});

describe.each([1, 7, 1000])("hops, in pieces of %d bytes", (size) => {
  test.each<[string, number]>([
    ["Received: a\r\nDELIVERED-to: b\r\n", 2],
    ["received\r\ndelivereX\r\n Received: c\r\n", 1],
    [".Received: a\r\n\r\nReceived: b\r\n", 0],
    ["Received: a\r\nx\r\n\r\nReceived: b\r\n", 1],
  ])("%j", (input, count) => {
    const text = newMessageText();
    const bytes = Buffer.from(input, "latin1");
    for (let at = 0; at < bytes.length; at += size) decode(text, bytes.subarray(at, at + size));
    expect(text.hops.count).toBe(count);
  });
});

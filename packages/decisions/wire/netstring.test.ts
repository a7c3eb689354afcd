import { describe, expect, test } from "vitest";
import { Garbage, netstring, netstringReader } from "./netstring.ts";

describe("netstring", () => {
  test.each([
    // the examples in D. J. Bernstein's definition
    ["hello world!", "12:hello world!,"],
    ["", "0:,"],
    ["\xff\0", "2:\xff\0,"],
  ])("frames %j", (bytes, framed) => expect(netstring(bytes)).toBe(framed));
});

describe("netstringReader", () => {
  const stream = "12:hello world!,0:,3:a:b,1:,,";
  const parts = ["hello world!", "", "a:b", ","];

  test("takes all out of one chunk", () => expect(netstringReader(20).push(stream)).toEqual(parts));

  test.each([1, 2, 3, 5, 7])("takes them out of chunks of %d bytes", (size) => {
    const reader = netstringReader(20);
    const got: string[] = [];
    for (let at = 0; at < stream.length; at += size) got.push(...reader.push(stream.slice(at, at + size)));
    expect(got).toEqual(parts);
    expect(reader.held()).toBe(0);
  });

  test("knows that one has begun", () => {
    const reader = netstringReader(20);
    expect(reader.push("5:abc")).toEqual([]);
    expect(reader.held()).toBe(5);
    expect(reader.push("de,")).toEqual(["abcde"]);
  });

  test.each([
    ["no digit", "x:a,"],
    ["a sign", "-1:a,"],
    ["a blank", " 1:a,"],
    ["a leading zero", "01:a,"],
    ["no length", ":,"],
    ["one byte over the limit", "21:"],
    ["a length that never ends", "111"],
    ["no comma", "1:ab"],
  ])("refuses %s as soon as it is seen", (_, bytes) => {
    expect(() => netstringReader(20).push(bytes)).toThrow(Garbage);
  });

  test("takes one of exactly the limit", () =>
    expect(netstringReader(20).push(netstring("x".repeat(20)))).toEqual(["x".repeat(20)]));
});

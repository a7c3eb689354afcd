import { expect, test } from "vitest";
import { type Vector, vector } from "./vector.ts";

const ADDRESS = 2 ** 40 + 2 ** 32 - 20; // strings on both sides of a multiple of 2^32

/** The strings that execve would read. */
function read({ pointers, bytes }: Vector): string[] {
  const found = pointers.subarray(0, pointers.indexOf(0n));
  return [...found].map((pointer) => {
    const at = Number(pointer) - ADDRESS;
    return Buffer.from(bytes).toString("latin1", at, bytes.indexOf(0, at));
  });
}

test.each<[string, string[][]]>([
  ["one", [["A=1", "B=2"]]],
  ["none", [[]]],
  ["empty strings", [["", "A=1", ""]]],
  ["any bytes", [["A=\x01\xe9\xff"]]],
  [
    "another end",
    [
      ["A=1", "B=2", "C=3"],
      ["A=1", "B=3", "C=3"],
    ],
  ],
  ["fewer, then more", [["A=1", "B=2", "C=3"], ["A=1"], ["A=1", "B=22", "C=3"], [], ["A=1"]]],
  ["the same again", [["A=1"], ["A=1"]]],
  [
    "another beginning",
    [
      ["A=1", "B=2"],
      ["A=11", "B=2"],
    ],
  ],
  ["more than there was room for", [["A=1"], ["A=1", "B=".padEnd(5000, "x")], Array(300).fill("C=3")]],
])("each vector holds its own strings: %s", (_, lists) => {
  for (const strings of lists) expect(read(vector({ address: () => ADDRESS }, strings))).toEqual(strings);
});

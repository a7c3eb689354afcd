import { drive } from "@qmail-mysql/steps";
import { expect, test } from "vitest";
import { LineInput, MAX_LINE, TOO_LONG } from "./line-input.ts";

/** The lines of `bytes`, and the bytes not read. */
async function lines(bytes: string, atOnce: number, count = 100) {
  let rest = Buffer.from(bytes, "latin1");
  const input = new LineInput(() => {
    const piece = rest.subarray(0, atOnce);
    rest = rest.subarray(piece.length);
    return piece;
  });
  const found = [];
  for (let line = await drive(input.next()); line !== undefined; line = await drive(input.next())) {
    found.push(line);
    if (found.length === count) break;
  }
  return { found, rest: rest.toString("latin1") };
}

const x = (n: number) => "x".repeat(n);

test.each([1, 3, 4096])("lines, %d bytes at once; bytes without LF are not a line", async (atOnce) => {
  const { found } = await lines("a\r\n\nb\0\xff\nend", atOnce);
  expect(found).toEqual(["a\r", "", "b\0\xff"]);
});

test.each([1, 3, 4096])(
  "a line that is too long is reported once and skipped, %d bytes at once",
  async (atOnce) => {
    const { found } = await lines(`${x(MAX_LINE)}\n${x(MAX_LINE + 1)}\nb\n${x(3 * MAX_LINE)}\nc\n`, atOnce);
    expect(found).toEqual([x(MAX_LINE), TOO_LONG, "b", TOO_LONG, "c"]);
  },
);

test("a byte at a time, nothing after the line is read", async () => {
  expect(await lines("PASS x\r\nSTAT\r\n", 1, 1)).toEqual({ found: ["PASS x\r"], rest: "STAT\r\n" });
});

test("what was read and not used is given away once", async () => {
  const input = new LineInput(() => Buffer.from("PASS x\r\nSTAT\r\n"));
  expect(await drive(input.next())).toBe("PASS x\r");
  expect([input.rest(), input.rest()].map(String)).toEqual(["STAT\r\n", ""]);
});

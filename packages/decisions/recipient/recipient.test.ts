import { describe, expect, test } from "vitest";
import { refusal, UNKNOWN_LIMITS, unknownCost } from "./index.ts";

describe("a session's unknown recipients", () => {
  test("each waits longer than the one before, up to a limit", () => {
    const waits = [1, 2, 3, 4, 11, 12, 19].map((count) => unknownCost(count).waitMs);
    expect(waits).toEqual([0, 1000, 2000, 3000, 10_000, 10_000, 10_000]);
  });
  test("the last one ends the session", () => {
    expect(unknownCost(19).goodbye).toBeUndefined();
    expect(unknownCost(20).goodbye).toMatchObject({ code: 421 });
    expect(unknownCost(21).goodbye).toMatchObject({ code: 421 });
    expect(unknownCost(1_000_000, { ...UNKNOWN_LIMITS, most: 0 })).toEqual({
      waitMs: 10_000,
      goodbye: undefined,
    });
  });
  test("no reply is later than SMTP clients wait: 5 minutes, RFC 5321 section 4.5.3.2.3", () => {
    expect(unknownCost(1e9).waitMs).toBeLessThan(300_000);
  });
});

test.each([
  ["deliverable", undefined],
  ["catch-all", undefined],
  ["unverifiable", undefined],
  ["unknown", 550],
  ["disabled", 550],
  ["not-ours", 553],
  ["trouble", 451],
] as const)("%s is answered %s", (verdict, code) => {
  expect(refusal({ verdict })?.code).toBe(code);
});

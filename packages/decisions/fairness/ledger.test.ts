import { expect, test } from "vitest";
import { openLedger } from "./ledger.ts";

test("the member that holds the most, of the owner that holds the most, is closed", () => {
  const ledger = openLedger<string>(100);
  expect(ledger.note(1, "honest", 40)).toBe(undefined);
  expect(ledger.note(2, "a", 30)).toBe(undefined);
  expect(ledger.note(2, "b", 30)).toBe(undefined);
  expect(ledger.note(2, "c", 1)).toBe("a");
  expect(ledger.note(2, "a", 0)).toBe(undefined);
  expect(ledger.total).toBe(71);
  expect(ledger.note(1, "honest", 80)).toBe("honest");
});

test("bytes that were sent do not count", () => {
  const ledger = openLedger<string>(100);
  for (let i = 0; i < 1000; i++) {
    expect(ledger.note(1, "a", 90)).toBe(undefined);
    expect(ledger.note(1, "a", 0)).toBe(undefined);
  }
  expect(ledger.total).toBe(0);
});

import { expect, test } from "vitest";
import { openRates } from "./rates.ts";

test("each owner has a maximum per second", () => {
  let clock = 0;
  const may = openRates(10, () => clock);
  const count = (owner: number) => Array.from({ length: 100 }, () => may(owner)).filter(Boolean).length;
  expect(count(1)).toBe(10);
  expect(count(2)).toBe(10);
  clock = 500;
  expect(count(1)).toBe(5);
  clock = 10_000;
  expect(count(1)).toBe(10);
});

test("a flood of owners does not reset the count of one of them", () => {
  const may = openRates(1, () => 0);
  expect(may(1)).toBe(true);
  for (let owner = 2; owner < 3000; owner++) may(owner);
  expect(may(1)).toBe(false);
});

import { expect, test } from "vitest";
import { openAllowance } from "./allowance.ts";

test("a mailbox has so many addresses at a time, and the same one as often as it likes", () => {
  let clock = 0;
  const allowance = openAllowance(2, 100, () => clock);
  expect(allowance.take("joe", "192.0.2.1")).toBe(true);
  clock = 50;
  expect(allowance.take("joe", "192.0.2.2")).toBe(true);
  expect(allowance.take("joe", "192.0.2.3")).toBe(false);
  expect(allowance.take("sam", "192.0.2.3")).toBe(true);
  expect(allowance.take("joe", "192.0.2.1")).toBe(true);
  clock = 149;
  expect(allowance.take("joe", "192.0.2.3")).toBe(false);
  clock = 150; // the first was used again at 50, as was the second
  expect(allowance.take("joe", "192.0.2.3")).toBe(true);
});

test("what it remembers is bounded", () => {
  const allowance = openAllowance(1, 100, () => 0);
  for (let i = 0; i <= 100_000; i++) allowance.take(`u${i}`, "192.0.2.1");
  expect(allowance.take("u0", "192.0.2.2")).toBe(true); // forgotten
  expect(allowance.take("u100000", "192.0.2.2")).toBe(false);
});

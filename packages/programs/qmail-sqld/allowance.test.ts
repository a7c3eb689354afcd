import { expect, test } from "vitest";
import { openAllowance } from "./allowance.ts";

test("a mailbox has a maximum of concurrent addresses, and may use the same one any number of times", () => {
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

test("the number of remembered mailboxes is limited", () => {
  const allowance = openAllowance(1, 100, () => 0);
  for (let i = 0; i <= 100_000; i++) allowance.take(`u${i}`, "192.0.2.1");
  expect(allowance.take("u0", "192.0.2.2")).toBe(true); // forgotten
  expect(allowance.take("u100000", "192.0.2.2")).toBe(false);
});

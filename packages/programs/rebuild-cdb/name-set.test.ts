import { expect, test } from "vitest";
import { nameSet } from "./name-set.ts";

test("100,000 names are in it, 100,000 others are not", () => {
  const set = nameSet();
  for (let n = 0; n < 100_000; n++) set.add(`domain${n}.example.com`);
  let [missed, taken] = [0, 0];
  for (let n = 0; n < 100_000; n++) {
    if (!set.has(`domain${n}.example.com`)) missed++;
    if (set.has(`domain${n}.example.org`)) taken++;
  }
  expect([missed, taken]).toEqual([0, 0]);
});

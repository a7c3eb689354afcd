import { expect, test } from "vitest";
import { hourly } from "./notify.ts";

test("a warning an hour is passed on", () => {
  const sent: string[] = [];
  let now = 0;
  const warn = hourly(
    (line) => sent.push(`${now} ${line}`),
    () => now,
  );
  for (now of [0, 60, 3599, 3600, 3660, 9000]) warn("away");
  expect(sent).toEqual(["0 away", "3600 away", "9000 away"]);
});

import { expect, test } from "vitest";
import { openTroubles } from "./troubles.ts";

test("an outage is logged once and counted, and its end is logged", () => {
  let clock = 0;
  const troubles = openTroubles(() => clock);
  expect(troubles.works("the database", 1000)).toBe(undefined);
  expect(troubles.failed("the database", "unable to connect: refused")).toBe(
    "warning: unable to connect: refused",
  );
  clock = 5000;
  expect(troubles.failed("the database", "unable to connect: timed out")).toBe(undefined);
  expect(troubles.works("another", 1000)).toBe(undefined);
  clock = 5500;
  expect(troubles.works("the database", 1000)).toBe(undefined); // the next query may fail again
  clock = 7000;
  expect(troubles.works("the database", 1000)).toBe("the database works again after 7 seconds; failures: 2");
  expect(troubles.works("the database", 1000)).toBe(undefined);
  expect(troubles.failed("the database", "gone")).toBe("warning: gone");
  expect(troubles.count()).toBe(3);
});

test("trouble that no success ends is logged again after a while, with the number of omitted lines", () => {
  let clock = 0;
  const troubles = openTroubles(() => clock);
  expect(troubles.happened("a row is wrong")).toBe("warning: a row is wrong");
  expect(troubles.happened("a row is wrong")).toBe(undefined);
  expect(troubles.happened("another is")).toBe("warning: another is");
  clock = 600_000;
  expect(troubles.happened("a row is wrong")).toBe(
    "warning: a row is wrong; 1 times more since it was last logged",
  );
});

test("the number of remembered lines is limited", () => {
  const troubles = openTroubles(() => 0);
  for (let i = 0; i < 2000; i++) troubles.happened(`row ${i}`);
  expect(troubles.happened("row 1999")).toBe(undefined);
  expect(troubles.happened("row 0")).toBe("warning: row 0");
});

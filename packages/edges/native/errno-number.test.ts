import { constants } from "node:os";
import { expect, test } from "vitest";
import { errnoError } from "./errno-number.ts";

test.each(Object.entries(constants.errno))("%s", (_, number) => {
  const names = Object.entries(constants.errno).filter(([, value]) => value === number);
  expect(names.map(([each]) => each)).toContain(errnoError(number).code);
});

test("a number without a name", () => {
  expect(errnoError(4000).code).toBe("E4000");
});

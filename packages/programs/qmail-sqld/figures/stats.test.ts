import { Trouble } from "@qmail-mysql/trouble";
import { expect, test } from "vitest";
import { figure } from "./figures.ts";
import { fromFields, toFields } from "./stats.ts";

test("statistics pass through the fields of a response", () => {
  const figures = [figure("clients", "open connections", "gauge", 3)];
  expect(fromFields(toFields(figures))).toEqual(figures);
});

test.each(["", "garbage", "1", "null", "[]", '{"name":"x"}', '{"name":"x","values":[1]}'])(
  "a field that is not a metric is trouble: %s",
  (field) => {
    expect(() => fromFields([field])).toThrow(Trouble);
  },
);

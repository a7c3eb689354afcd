import { expect, test } from "vitest";
import { type Candidate, choose, sparesMissing } from "./choose.ts";

const limits = { workers: 4, perUid: 2, sessions: 10, spares: 2, idle: 60 };
const worker = (identity: string | undefined, load = 0): Candidate => ({ identity, load });

test("of its own workers the one with the fewest sessions", () => {
  const idle = worker("a");
  expect(choose([worker("a", 1), idle, worker(undefined)], "a", limits)).toEqual({ use: idle });
});
test("its own, while that has few sessions", () => {
  const own = worker("a", 7);
  expect(choose([own, worker(undefined)], "a", limits)).toEqual({ use: own });
});
test("a spare, while it has fewer workers than allowed", () => {
  const spare = worker(undefined);
  expect(choose([worker("a", 8), spare], "a", limits)).toEqual({ use: spare });
});
test("a new one, where there is no spare", () =>
  expect(choose([worker("a", 8), worker("b")], "a", limits)).toEqual({ start: true }));
test("of as many as allowed the one with the fewest sessions", () => {
  const least = worker("a", 3);
  expect(choose([worker("a", 5), least, worker(undefined)], "a", limits)).toEqual({ use: least });
});
test("another one if all of its own are full", () =>
  expect(choose([worker("a", 10), worker("a", 10)], "a", limits)).toEqual({ start: true }));
test("its own, at the maximum of all", () => {
  const own = worker("a", 4);
  expect(choose([own, worker("b", 1), worker("c", 1), worker("d", 1)], "a", limits)).toEqual({ use: own });
});
test("in the place of an idle one, at the maximum", () => {
  const idle = worker("b");
  expect(choose([idle, worker("c", 1), worker("d", 1), worker("e", 1)], "a", limits)).toEqual({
    start: true,
    end: idle,
  });
});
test("none, while all have sessions of others", () =>
  expect(
    choose(
      ["b", "c", "d", "e"].map((of) => worker(of, 1)),
      "a",
      limits,
    ),
  ).toBe("full"));

test.each<[Candidate[], number]>([
  [[], 2],
  [[worker(undefined)], 1],
  [[worker("a"), worker("b"), worker("c")], 1],
])("spares to start: %#", (workers, missing) => expect(sparesMissing(workers, limits)).toBe(missing));

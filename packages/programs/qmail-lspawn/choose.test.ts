import { describe, expect, test } from "vitest";
import { type Candidate, choose, sparesMissing } from "./choose.ts";

const worker = (identity: string | undefined, more: Partial<Candidate> = {}): Candidate => ({
  identity,
  isBusy: false,
  isOver: false,
  made: 0,
  ...more,
});
const limits = { workers: 3, spares: 2, idle: 60 };
const none: ReadonlySet<string> = new Set();
const busy = (identity: string) => worker(identity, { isBusy: true });

describe("choose", () => {
  test("an idle worker of its own, the last of them", () => {
    const last = worker("a");
    expect(choose([worker("a"), last, worker(undefined)], "a", none, limits)).toEqual({ use: last });
  });
  test("a spare, where its own are busy", () => {
    const spare = worker(undefined);
    expect(choose([busy("a"), spare, worker("b")], "a", none, limits)).toEqual({ use: spare });
  });
  test("a new one for each delivery, where there is room", () =>
    expect(choose([busy("a"), busy("a")], "a", none, limits)).toEqual({ start: true }));
  test("no worker that is over", () =>
    expect(choose([worker("a", { isOver: true })], "a", none, limits)).toEqual({ start: true }));
  test("in the place of the idle one with the fewest deliveries, the youngest of these", () => {
    const youngest = worker("d", { made: 1 });
    const all = [worker("b", { made: 5 }), worker("c", { made: 1 }), youngest];
    expect(choose(all, "a", none, limits)).toEqual({ start: true, end: youngest });
  });
  test("not in the place of one that others wait for", () => {
    const all = [busy("b"), busy("c"), worker("d")];
    expect(choose(all, "a", new Set(["d"]), limits)).toBe("wait");
    expect(choose(all, "a", none, limits)).toEqual({ start: true, end: all[2] });
  });
  test("none while all are busy", () =>
    expect(choose([busy("a"), busy("b"), busy("c")], "a", none, limits)).toBe("wait"));
});

test.each<[Candidate[], number]>([
  [[], 2],
  [[worker(undefined)], 1],
  [[worker(undefined), worker(undefined)], 0],
  [[busy("a"), busy("b")], 1],
  [[busy("a"), busy("b"), busy("c")], 0],
])("spares to start: %#", (workers, missing) => expect(sparesMissing(workers, limits)).toBe(missing));

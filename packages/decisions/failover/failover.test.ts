import { describe, expect, test } from "vitest";
import { connectShareMs, shareOfSilence, watchServers } from "./index.ts";

// sqlserver(5): the first available server is asked; one that failed is not tried for a time that doubles.

const NONE = new Set<number>();

function watch(...names: string[]) {
  let clock = 0;
  const servers = watchServers(names, () => clock);
  return {
    servers,
    at: (ms: number) => {
      clock = ms;
    },
  };
}

describe("the servers of a list", () => {
  test("the first is asked for as long as it is good", () => {
    const { servers } = watch("a", "b");
    expect([servers.best(), servers.choose(NONE), servers.due()]).toEqual([0, 0, -1]);
  });

  test("one to avoid is not chosen, but stays good", () => {
    const { servers } = watch("a", "b");
    expect([servers.choose(new Set([0])), servers.choose(new Set([0, 1])), servers.best()]).toEqual([
      1, -1, 0,
    ]);
  });

  test("one that failed is left alone: 0.5, 1, 2, 4 and never more than 4 seconds", () => {
    const { servers, at } = watch("a", "b");
    let now = 0;
    for (const penalty of [500, 1000, 2000, 4000, 4000]) {
      servers.fail(0, false);
      expect([servers.choose(NONE), servers.due()]).toEqual([1, -1]);
      at(now + penalty - 1);
      expect(servers.due()).toBe(-1);
      now += penalty;
      at(now);
      expect([servers.choose(NONE), servers.due()]).toEqual([1, 0]); // retried while questions go to another
    }
    expect(servers.all[0]?.failures).toBe(5);
  });

  test("the failures of one moment are one", () => {
    const { servers } = watch("a", "b");
    for (let i = 0; i < 5; i++) servers.fail(0, false);
    expect(servers.all[0]).toMatchObject({ failures: 1, inARow: 1, until: 500 });
  });

  test("when none is left the list is tried again after half a second", () => {
    const { servers, at } = watch("a", "b");
    servers.fail(0, false);
    at(500);
    servers.fail(0, false); // until 1500
    servers.fail(1, false); // until 1000
    expect(servers.choose(NONE)).toBe(-1);
    at(1000);
    expect([servers.choose(NONE), servers.due()]).toEqual([0, -1]);
  });

  test("an answer makes it good", () => {
    const { servers } = watch("a", "b");
    servers.fail(0, true);
    servers.answered(0);
    expect(servers.all[0]).toMatchObject({ until: 0, inARow: 0, silent: false });
    expect(servers.best()).toBe(0);
  });

  test("one that refused is good when another try succeeds; one that was silent after 10 seconds", () => {
    const { servers, at } = watch("a", "b");
    servers.fail(0, false);
    servers.fail(1, true);
    at(1000);
    expect([servers.stands(0), servers.stands(1), servers.best()]).toEqual([true, false, 0]);
    at(10_999);
    expect(servers.due()).toBe(-1);
    at(11_000);
    expect([servers.due(), servers.stands(1)]).toEqual([1, true]);
  });

  test("silence is the fault of a server that has answered nobody for half a second", () => {
    const { servers, at } = watch("a");
    at(1000);
    servers.answered(0);
    at(1500);
    expect(servers.isBlamed(0)).toBe(false);
    at(1501);
    expect(servers.isBlamed(0)).toBe(true);
  });
});

test("time is shared evenly among the servers that are left", () => {
  expect([connectShareMs(3000, 3), connectShareMs(3000, 1), connectShareMs(-5, 2)]).toEqual([1000, 3000, 1]);
  expect([shareOfSilence(5, 1), shareOfSilence(5, 3)]).toEqual([5, 1]);
});

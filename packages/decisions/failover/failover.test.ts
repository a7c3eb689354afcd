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
  test("the first is used while it is available", () => {
    const { servers } = watch("a", "b");
    expect([servers.best(), servers.choose(NONE), servers.due()]).toEqual([0, 0, -1]);
  });

  test("one to avoid is not chosen, but stays available", () => {
    const { servers } = watch("a", "b");
    expect([servers.choose(new Set([0])), servers.choose(new Set([0, 1])), servers.best()]).toEqual([
      1, -1, 0,
    ]);
  });

  test("one that failed is not used for 0.5, 1, 2, 4 and never more than 4 seconds", () => {
    const { servers, at } = watch("a", "b");
    let now = 0;
    for (const penalty of [500, 1000, 2000, 4000, 4000]) {
      servers.connectFailed(0, 0);
      expect([servers.choose(NONE), servers.due()]).toEqual([1, -1]);
      at(now + penalty - 1);
      expect(servers.due()).toBe(-1);
      now += penalty;
      at(now);
      expect([servers.choose(NONE), servers.due()]).toEqual([1, 0]); // retried while questions go to another
    }
    expect(servers.all[0]?.failures).toBe(5);
  });

  test("concurrent failures count once", () => {
    const { servers } = watch("a", "b");
    for (let i = 0; i < 5; i++) servers.connectFailed(0, 0);
    expect(servers.all[0]).toMatchObject({ failures: 1, inARow: 1, until: 500 });
  });

  test("if none is available the list is retried after half a second", () => {
    const { servers, at } = watch("a", "b");
    servers.connectFailed(0, 0);
    at(500);
    servers.connectFailed(0, 0); // until 1500
    servers.connectFailed(1, 0); // until 1000
    expect(servers.choose(NONE)).toBe(-1);
    at(1000);
    expect([servers.choose(NONE), servers.due()]).toEqual([0, -1]);
  });

  test("a response makes it available", () => {
    const { servers } = watch("a", "b");
    servers.connectFailed(0, 501);
    servers.answered(0);
    expect(servers.all[0]).toMatchObject({ until: 0, inARow: 0, silent: false });
    expect(servers.best()).toBe(0);
  });

  test("one that refused is available when a retry succeeds; one that did not respond, 10 seconds later", () => {
    const { servers, at } = watch("a", "b");
    servers.connectFailed(0, 0);
    servers.connectFailed(1, 501);
    at(1000);
    expect([servers.acceptedAgain(0), servers.acceptedAgain(1), servers.best()]).toEqual([true, false, 0]);
    at(10_999);
    expect(servers.due()).toBe(-1);
    at(11_000);
    expect([servers.due(), servers.acceptedAgain(1)]).toEqual([1, true]);
  });

  test("no response is a failure of a server that has not responded to any question for half a second", () => {
    const { servers, at } = watch("a");
    at(1000);
    servers.answered(0);
    at(1500);
    expect(servers.connectionFailed(0, 501, true)).toEqual({ isSilent: true, dropOthers: false });
    expect(servers.best()).toBe(0);
    at(1501);
    expect(servers.connectionFailed(0, 501, true)).toEqual({ isSilent: true, dropOthers: true });
    expect(servers.best()).toBe(-1);
  });

  test("a new connection that breaks is a failure of the server; one that was used may only have been closed", () => {
    const { servers } = watch("a");
    expect(servers.connectionFailed(0, 500, true)).toEqual({ isSilent: false, dropOthers: true });
    expect(servers.best()).toBe(0);
    expect(servers.connectionFailed(0, 500, false)).toEqual({ isSilent: false, dropOthers: false });
    expect(servers.best()).toBe(-1);
  });

  test("an idle connection is kept unless a better server is available", () => {
    const { servers } = watch("a", "b");
    expect([servers.isWorthKeeping(0), servers.isWorthKeeping(1)]).toEqual([true, false]);
    servers.connectFailed(0, 0);
    expect(servers.isWorthKeeping(1)).toBe(true);
  });
});

test("time is shared evenly among the remaining servers", () => {
  expect([connectShareMs(3000, 3), connectShareMs(3000, 1), connectShareMs(-5, 2)]).toEqual([1000, 3000, 1]);
  expect([shareOfSilence(5, 1), shareOfSilence(5, 3)]).toEqual([5, 1]);
});

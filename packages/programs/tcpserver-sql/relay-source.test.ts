import { parseSql } from "@qmail-mysql/control";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { relaySource, type Table } from "./relay-source.ts";

// A table in memory that answers, fails or is silent.

const config = parseSql("server h\nuser u\ndatabase d\ntimeout 0.5\n", "control/sql");
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function world() {
  const state = { left: 0, fails: false, isSilent: false, breaks: 0, asked: 0, opened: 0 };
  const lines: string[] = [];
  const answer = async <T>(value: () => T): Promise<T> => {
    if (state.isSilent) return new Promise(() => {});
    if (state.fails) throw new Error("connection refused");
    return value();
  };
  const table: Table = {
    left: () => {
      state.asked++;
      if (state.breaks > 0) {
        state.breaks--;
        return Promise.reject(new Error("connection lost"));
      }
      return answer(() => state.left);
    },
    blocks: () => answer(() => []),
    close: async () => {},
  };
  const source = relaySource({
    read: () => config,
    open: async () => {
      state.opened++;
      return answer(() => table);
    },
    warn: (line) => lines.push(line),
  });
  return { state, lines, source };
}

test("the result is that of the table, and a positive one is kept for a second", async () => {
  const { state, source } = world();
  expect(await source.mayRelay("192.0.2.1")).toBe(false);
  state.left = 1800;
  expect(await source.mayRelay("192.0.2.1")).toBe(true);
  const { asked } = state;
  expect(source.mayRelay("192.0.2.1")).toBe(true);
  expect(state.asked).toBe(asked);
  await vi.advanceTimersByTimeAsync(1100);
  expect(await source.mayRelay("192.0.2.1")).toBe(true);
  expect(state.asked).toBe(asked + 1);
});

test("while the database fails clients are served at once, one line is logged, and its return is noticed", async () => {
  const { state, lines, source } = world();
  await settled();
  state.fails = true;
  expect(await source.mayRelay("192.0.2.1")).toBe(false);
  expect(source.mayRelay("192.0.2.2")).toBe(false); // without a lookup
  await vi.advanceTimersByTimeAsync(5000);
  expect(lines).toEqual(["serving without the relay table: connection refused"]);
  state.fails = false;
  state.left = 1800;
  await vi.advanceTimersByTimeAsync(300);
  expect(lines.at(-1)).toBe("the relay table is back");
  expect(await source.mayRelay("192.0.2.1")).toBe(true);
});

test("a connection that was closed while idle is replaced within the limit, and nothing is logged", async () => {
  const { state, lines, source } = world();
  await settled();
  const { opened } = state;
  state.left = 1800;
  state.breaks = 1;
  expect(await source.mayRelay("192.0.2.1")).toBe(true);
  expect([state.opened, lines]).toEqual([opened + 1, []]);
});

test("a new connection and its answer have the timeout of control/sql together", async () => {
  const { state, lines, source } = world();
  await settled();
  state.breaks = 1;
  state.isSilent = true;
  let got: boolean | undefined;
  const answer = Promise.resolve(source.mayRelay("192.0.2.1")).then((yes) => {
    got = yes;
  });
  await vi.advanceTimersByTimeAsync(499);
  expect(got).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2);
  await answer;
  expect(got).toBe(false);
  expect(lines).toEqual(["serving without the relay table: no answer within 0.5 seconds"]);
});

test("a new configuration discards the kept results", async () => {
  const { state, source } = world();
  await settled();
  state.fails = true;
  await source.mayRelay("192.0.2.1");
  state.fails = false;
  state.left = 1800;
  source.reload();
  expect(await source.mayRelay("192.0.2.1")).toBe(true);
});

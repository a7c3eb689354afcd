import { Trouble } from "@qmail-mysql/trouble";
import { describe, expect, test } from "vitest";
import { openCache } from "./cache.ts";

const KEEP = { ttl: 60, negativeTtl: 5, stale: 1000 };

function world(limit = 100_000) {
  let clock = 0;
  const asked: string[] = [];
  const cache = openCache<string>(
    limit,
    (value) => value === "",
    (value) => value.length,
    () => clock,
  );
  return {
    cache,
    asked,
    pass: (ms: number) => {
      clock += ms;
    },
    get: async (key: string, answer: string | Error, keep = KEEP) =>
      cache.get(key, keep, async () => {
        asked.push(key);
        if (answer instanceof Error) throw answer;
        return answer;
      }),
  };
}

describe("a cache", () => {
  test("may keep none for a shorter time than others when nothing can be fetched", async () => {
    const { get, pass } = world();
    const keep = { ...KEEP, negativeStale: 0 };
    const trouble = new Trouble("no");
    await get("a", "1");
    await get("none", "");
    pass(100);
    expect(await get("a", trouble, keep)).toBe("1");
    await expect(get("none", trouble, keep)).rejects.toBe(trouble);
    expect(await get("none", trouble)).toBe("");
  });

  test("keeps a found result and a missing one each for its own time", async () => {
    const { get, pass, asked } = world();
    await get("a", "1");
    await get("none", "");
    pass(4);
    expect([await get("a", "2"), await get("none", "2")]).toEqual(["1", ""]);
    pass(2);
    expect([await get("a", "2"), await get("none", "2")]).toEqual(["1", "2"]);
    pass(55);
    expect(await get("a", "2")).toBe("2");
    expect(asked).toEqual(["a", "none", "none", "a"]);
  });

  test("joins concurrent identical questions", async () => {
    const { get, asked } = world();
    expect(await Promise.all([get("a", "1"), get("a", "2"), get("a", "3")])).toEqual(["1", "1", "1"]);
    expect(asked).toEqual(["a"]);
  });

  test("returns an expired result during trouble, for a limited time, and not for internal errors", async () => {
    const { get, pass } = world();
    await get("a", "1");
    pass(900);
    expect(await get("a", new Trouble("away"))).toBe("1");
    await expect(get("a", new Error("a bug"))).rejects.toThrow("a bug");
    await expect(get("b", new Trouble("away"))).rejects.toThrow("away");
    pass(101);
    await expect(get("a", new Trouble("away"))).rejects.toThrow("away");
    expect(await get("a", "2")).toBe("2");
  });

  test("a flush removes everything, also pending results", async () => {
    const { cache, get } = world();
    const coming = get("a", "old");
    cache.flush();
    expect(await coming).toBe("old");
    expect(await get("a", "new")).toBe("new");
    expect(await get("a", "newer")).toBe("new");
  });

  test("has a maximum size, and removes the least recently used first", async () => {
    const { cache, get } = world(1000);
    const value = "x".repeat(100);
    for (const key of ["a", "b", "c"]) await get(key, value);
    await get("a", "again");
    await get("d", value);
    expect(cache.bytes()).toBeLessThanOrEqual(1000);
    expect([await get("a", "again"), await get("b", "again")]).toEqual([value, "again"]);
    await get("huge", "x".repeat(1000));
    expect(cache.bytes()).toBeLessThanOrEqual(1000);
  });
});

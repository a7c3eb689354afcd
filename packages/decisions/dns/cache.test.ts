import { expect, test } from "vitest";
import { attempts, nameServers } from "./attempts.ts";
import { openDnsCache } from "./cache.ts";

test("a result is kept for its TTL, at most a day, and not at all without one", () => {
  const clock = { now: 0 };
  const cache = openDnsCache<string>(10_000, () => clock.now);
  cache.put("a", "1", 60, 1);
  cache.put("b", "2", 0, 1);
  cache.put("c", "3", 1e9, 1);
  clock.now = 59_999;
  expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual(["1", undefined, "3"]);
  clock.now = 60_000;
  expect(cache.get("a")).toBeUndefined();
  clock.now = 86_400_000;
  expect(cache.get("c")).toBeUndefined();
});

test("beyond its size the least recently used results are dropped", () => {
  const cache = openDnsCache<number>(1000, () => 0);
  for (let i = 0; i < 4; i++) cache.put(`k${i}`, i, 60, 40);
  expect(cache.get("k0")).toBe(0);
  cache.put("k4", 4, 60, 40);
  expect(["k0", "k1", "k2", "k3", "k4"].map((key) => cache.get(key))).toEqual([0, undefined, 2, 3, 4]);
  cache.put("k5", 5, 60, 2000);
  expect(["k0", "k5"].map((key) => cache.get(key))).toEqual([undefined, undefined]);
});

test("every server is asked in each round, first the one that responded last", () => {
  expect(attempts(["a", "b"], 1)).toEqual([
    { server: "b", wait: 1000 },
    { server: "a", wait: 1000 },
    { server: "b", wait: 3000 },
    { server: "a", wait: 3000 },
    { server: "b", wait: 8000 },
    { server: "a", wait: 8000 },
  ]);
  expect(attempts([], 0)).toEqual([]);
});

test("the servers of resolv.conf(5)", () => {
  const text =
    "# nameserver 192.0.2.9\nsearch example\nnameserver 192.0.2.1\n\tnameserver\t::1 x\nnameserver no\n";
  const isAddress = (word: string) => /^[0-9a-f.:]+$/.test(word);
  expect(nameServers(text, isAddress)).toEqual(["192.0.2.1", "::1"]);
  expect(nameServers("", isAddress)).toEqual(["127.0.0.1"]);
});

import { expect, test } from "vitest";
import { openFairQueue } from "./fair-queue.ts";

const all = (queue: { next(): string | undefined }) => {
  const items: string[] = [];
  for (let item = queue.next(); item !== undefined; item = queue.next()) items.push(item);
  return items;
};

test("owners take turns, and within an owner its names", () => {
  const queue = openFairQueue<string>(100);
  for (const item of ["a1", "a2", "a3"]) queue.push("local", "a", item);
  queue.push("local", "b", "b1");
  queue.push("other", "x", "x1");
  queue.push("other", "x", "x2");
  expect(queue.size).toBe(6);
  expect(all(queue)).toEqual(["a1", "x1", "b1", "x2", "a2", "a3"]);
  expect(queue.size).toBe(0);
});

test("an owner that has just had a turn is last, even if it had no jobs in between", () => {
  const queue = openFairQueue<string>(100);
  for (const item of ["h1", "h2"]) queue.push("hostile", "", item);
  expect(queue.next()).toBe("h1");
  queue.push("honest", "", "1");
  expect(queue.next()).toBe("h2");
  queue.push("hostile", "", "h3");
  expect(all(queue)).toEqual(["1", "h3"]);
});

test("when it is full, the owner with the most jobs loses the newest", () => {
  const queue = openFairQueue<string>(4);
  for (const item of ["a1", "a2", "a3"]) expect(queue.push("hostile", "a", item)).toBe(undefined);
  expect(queue.push("hostile", "b", "b1")).toBe(undefined);
  expect(queue.push("honest", "x", "x1")).toBe("a3");
  expect(queue.push("hostile", "a", "a4")).toBe("a4");
  expect(all(queue)).toEqual(["a1", "x1", "b1", "a2"]);
});

test("with the same share as the others, the newcomer waits for another time", () => {
  const queue = openFairQueue<string>(2);
  queue.push("a", "", "a");
  queue.push("b", "", "b");
  expect(queue.push("c", "", "c")).toBe("c");
});

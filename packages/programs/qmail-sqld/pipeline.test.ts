import { Garbage, netstring } from "@qmail-mysql/wire";
import { expect, test } from "vitest";
import { openPipeline } from "./pipeline.ts";

test("responses are sent in the order of their questions", () => {
  const pipeline = openPipeline(100, 4);
  pipeline.add(netstring("a") + netstring("b") + netstring("c"));
  const [a, b, c] = [pipeline.begin(), pipeline.begin(), pipeline.begin()];
  expect([a, b, c].map((one) => one?.question)).toEqual(["a", "b", "c"]);
  c?.answer("FC");
  b?.answer("FB");
  expect(pipeline.take()).toBe("");
  expect(pipeline.unsent()).toBe(4);
  a?.answer("N");
  expect(pipeline.take()).toBe("1:N,2:FB,2:FC,");
  expect([pipeline.atWork(), pipeline.unsent()]).toEqual([0, 0]);
});

test("at most the maximum of questions is in progress; the others stay unparsed", () => {
  const pipeline = openPipeline(100, 2);
  pipeline.add(netstring("a") + netstring("b") + netstring("c"));
  const a = pipeline.begin();
  expect(pipeline.begin()?.question).toBe("b");
  expect(pipeline.begin()).toBe(undefined);
  expect(pipeline.unread()).toBe(netstring("c").length);
  a?.answer("N");
  expect(pipeline.begin()).toBe(undefined); // until the answer is taken
  pipeline.take();
  expect(pipeline.begin()?.question).toBe("c");
});

test("an incomplete question waits; invalid data is Garbage", () => {
  const pipeline = openPipeline(100, 2);
  pipeline.add("3:ab");
  expect(pipeline.begin()).toBe(undefined);
  pipeline.add("c,x");
  expect(pipeline.begin()?.question).toBe("abc");
  expect(() => pipeline.begin()).toThrow(Garbage);
});

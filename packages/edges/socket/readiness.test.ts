import { expect, test } from "vitest";
import { inTurns } from "./readiness.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("at most `perTurn` steps in a turn of the event loop, and none after the one that returned false", async () => {
  let steps = 0;
  const begin = inTurns(() => ++steps < 10, 4);
  begin();
  begin();
  const perTurn: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = steps;
    await turn();
    perTurn.push(steps - before);
  }
  expect(perTurn).toEqual([4, 4, 2, 0, 0]);
});

import { expect, test } from "vitest";
import { singleFlight } from "./single-flight.ts";

/** A question whose answers the test gives, in turn. */
function asker() {
  const waiting: ((yes: boolean) => void)[] = [];
  let asked = 0;
  return {
    ask: () => {
      asked++;
      return new Promise<boolean>((resolve) => waiting.push(resolve));
    },
    answer: (yes: boolean) => waiting.shift()?.(yes),
    count: () => asked,
  };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("a positive result is shared by all callers that came while it was pending", async () => {
  const ask = singleFlight<string, boolean>((yes) => yes);
  const table = asker();
  const all = Array.from({ length: 40 }, () => ask("192.0.2.1", table.ask));
  table.answer(true);
  expect(await Promise.all(all)).toEqual(Array(40).fill(true));
  expect(table.count()).toBe(1);
});

test("a negative result is only for the first caller: the others share one later question", async () => {
  const ask = singleFlight<string, boolean>((yes) => yes);
  const table = asker();
  const first = ask("192.0.2.1", table.ask);
  const later = Array.from({ length: 39 }, () => ask("192.0.2.1", table.ask));
  table.answer(false); // read before the login
  expect(await first).toBe(false);
  await turn();
  table.answer(true);
  expect(await Promise.all(later)).toEqual(Array(39).fill(true));
  expect(table.count()).toBe(2);
});

test("addresses do not wait for each other, and a later client causes a new question", async () => {
  const ask = singleFlight<string, boolean>((yes) => yes);
  const table = asker();
  const one = ask("192.0.2.1", table.ask);
  const two = ask("192.0.2.2", table.ask);
  table.answer(false);
  table.answer(true);
  expect([await one, await two]).toEqual([false, true]);
  await turn();
  const again = ask("192.0.2.1", table.ask);
  table.answer(true);
  expect([await again, table.count()]).toEqual([true, 3]);
});

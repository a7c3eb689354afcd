import { netstring } from "@qmail-mysql/wire";
import { expect, test } from "vitest";
import type { Answer } from "../answer.ts";
import { Connection } from "./connection.ts";
import type { StreamEvents } from "./stream.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A connection whose client reads every answer; `begun` is the number of questions begun. */
function connection(answer: () => Answer | Promise<Answer>) {
  const state = { begun: 0, isPaused: false, sent: "" };
  let events: StreamEvents | undefined;
  const nothing = () => {};
  const client = new Connection(
    (ofStream) => {
      events = ofStream;
      return {
        write: (bytes) => {
          state.sent += bytes;
        },
        unsent: () => 0,
        pause: () => {
          state.isPaused = true;
        },
        resume: () => {
          state.isPaused = false;
        },
        end: nothing,
        destroy: nothing,
      };
    },
    () => 0,
    () => {
      state.begun++;
      return answer();
    },
    { busy: nothing, idle: nothing, holds: nothing, garbage: nothing, closed: nothing },
  );
  return { state, client, receive: (bytes: string) => events?.data(bytes) };
}

// Otherwise a client that sends faster than it is served fills the memory, and the time of all is spent on copies.
test.each([
  ["at once", () => "N"],
  ["later", async () => "N"],
])("nothing is read while questions already read are not begun: answered %s", async (_, answer) => {
  const { state, receive } = connection(answer);
  receive(netstring("question").repeat(100) + netstring("incomplete").slice(0, 5));
  expect(state.isPaused).toBe(true);
  expect(state.begun).toBeLessThanOrEqual(4);
  for (let turns = 0; state.isPaused && turns < 1000; turns++) await turn();
  expect([state.isPaused, state.begun, state.sent]).toEqual([false, 100, netstring("N").repeat(100)]);
});

test("a question that is alone does not pause the connection", async () => {
  const { state, receive } = connection(() => "N");
  for (let i = 1; i <= 3; i++) {
    receive(netstring("question"));
    expect([state.isPaused, state.begun]).toEqual([false, i]);
  }
});

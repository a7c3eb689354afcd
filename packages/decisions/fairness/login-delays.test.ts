import { expect, test } from "vitest";
import { openLoginDelays } from "./login-delays.ts";

const JOE = [{ key: "192.0.2.1 joe", free: 4, parallel: 8 }];
const ELSEWHERE = [{ key: "192.0.2.2 joe", free: 4, parallel: 8 }];
function begun() {
  const clock = { now: 1000 };
  const delays = openLoginDelays(() => clock.now);
  /** Waits as required and returns for how long. */
  const attempt = (counted: typeof JOE, isRight: boolean | undefined) => {
    const place = delays.begin(counted);
    if ("later" in place) return Infinity;
    clock.now += place.wait;
    delays.end(counted, isRight);
    return place.wait;
  };
  return { clock, delays, attempt };
}

test("some failures cause no delay; then it doubles, up to a maximum at which the attempt is refused", () => {
  const { attempt } = begun();
  const waits = Array.from({ length: 13 }, () => attempt(JOE, false));
  expect(waits).toEqual([0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 8000, Infinity, Infinity, Infinity]);
});

test("failures of other keys cause no delay, and the right password ends the delay", () => {
  const { clock, attempt } = begun();
  for (let i = 0; i < 6; i++) attempt(JOE, false);
  expect(attempt(ELSEWHERE, true)).toBe(0);
  expect(attempt(JOE, true)).toBeGreaterThan(0);
  expect(attempt(JOE, true)).toBe(0);
  for (let i = 0; i < 20; i++) attempt(JOE, false);
  clock.now += 600_000;
  expect(attempt(JOE, false)).toBe(0);
});

test("concurrent guesses are delayed too", () => {
  const { delays } = begun();
  const places = Array.from({ length: 1000 }, () => delays.begin(JOE));
  expect(places.filter((place) => "wait" in place && place.wait === 0)).toHaveLength(13);
  expect(places.filter((place) => "wait" in place)).toHaveLength(18);
});

test("right passwords are not delayed", () => {
  const { attempt, delays } = begun();
  for (let i = 0; i < 1000; i++) expect(attempt(JOE, true)).toBe(0);
  expect(Array.from({ length: 8 }, () => delays.begin(JOE))).toEqual(Array(8).fill({ wait: 0 }));
});

test("guesses at many logins are delayed by a separate count, which a right password does not reset", () => {
  const { attempt } = begun();
  const login = (name: string) => [
    { key: `uid 64 ${name}`, free: 4, parallel: 8 },
    { key: "uid 64", free: 20, parallel: Infinity },
  ];
  const waits = Array.from({ length: 22 }, (_, i) => attempt(login(`u${i}`), false));
  expect(waits.slice(19)).toEqual([0, 250, 500]);
  expect(attempt(login("own"), true)).toBe(1000);
  expect(attempt(login("another"), false)).toBe(1000);
});

test("logins at the same time of one uid do not delay each other", () => {
  const { delays } = begun();
  const places = Array.from({ length: 1000 }, () =>
    delays.begin([{ key: "uid 64", free: 20, parallel: Infinity }]),
  );
  expect(places).toEqual(Array(1000).fill({ wait: 0 }));
});

test("trouble does not count as a failure", () => {
  const { attempt } = begun();
  for (let i = 0; i < 100; i++) expect(attempt(JOE, undefined)).toBe(0);
});

test("a count that logins share forgets a failure a minute, and one for each right password", () => {
  const { clock, attempt } = begun();
  const from = (name: string) => [
    { key: `192.0.2.1 ${name}`, free: 4, parallel: 8 },
    { key: "192.0.2.1", free: 20, parallel: Infinity, forgets: 60_000 },
  ];
  const waits = Array.from({ length: 23 }, (_, i) => attempt(from(`u${i}`), false));
  expect(waits.slice(19)).toEqual([0, 250, 500, 1000]);
  expect(attempt(from("own"), true)).toBe(2000);
  expect(attempt(from("another"), true)).toBe(2000);
  clock.now += 5 * 60_000;
  expect(attempt(from("u1"), false)).toBe(0);
  for (let i = 0; i < 100; i++) {
    expect(attempt(from(`wrong${i}`), false)).toBeLessThan(1000);
    attempt(from("own"), true);
  }
});

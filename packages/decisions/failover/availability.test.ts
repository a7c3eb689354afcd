import { describe, expect, test } from "vitest";
import { watchAvailability } from "./index.ts";

function watch() {
  let clock = 0;
  const availability = watchAvailability(() => clock);
  availability.renew();
  return {
    availability,
    at: (seconds: number) => {
      clock = seconds;
    },
  };
}

describe("a database without which clients are served while it is unavailable", () => {
  test("the first failure makes it unavailable and starts retries; further ones do not", () => {
    const { availability } = watch();
    const generation = availability.generation();
    expect(availability.isAway()).toBe(false);
    expect([availability.failed(generation), availability.failed(generation)]).toEqual([true, false]);
    expect(availability.isAway()).toBe(true);
  });

  test("a successful retry makes it available", () => {
    const { availability } = watch();
    const generation = availability.generation();
    availability.failed(generation);
    expect([availability.returned(generation), availability.isAway()]).toEqual([true, false]);
    expect(availability.failed(generation)).toBe(true);
  });

  test("results of an older configuration are ignored", () => {
    const { availability } = watch();
    const old = availability.generation();
    availability.renew();
    expect([availability.failed(old), availability.isAway()]).toEqual([false, false]);
    availability.failed(availability.generation());
    expect([availability.returned(old), availability.isAway()]).toEqual([false, true]);
  });

  test("in a new generation it is available", () => {
    const { availability } = watch();
    availability.failed(availability.generation());
    availability.renew();
    expect(availability.isAway()).toBe(false);
  });
});

describe("lines about trouble", () => {
  test("one a minute", () => {
    const { availability, at } = watch();
    expect([availability.isLineDue(), availability.isLineDue()]).toEqual([true, false]);
    at(59.9);
    expect(availability.isLineDue()).toBe(false);
    at(60);
    expect(availability.isLineDue()).toBe(true);
  });

  test("trouble after a return, or after a new configuration, is logged at once", () => {
    const { availability } = watch();
    availability.isLineDue();
    availability.returned(availability.generation());
    expect(availability.isLineDue()).toBe(true);
    availability.renew();
    expect(availability.isLineDue()).toBe(true);
  });
});

describe("a positive result", () => {
  test("is kept for a second, or for as long as the relay is open, and by its client alone", () => {
    const { availability, at } = watch();
    availability.keep("192.0.2.1", 1800);
    availability.keep("192.0.2.2", 0.5);
    const kept = () => ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((ip) => availability.isKept(ip));
    expect(kept()).toEqual([true, true, false]);
    at(0.5);
    expect(kept()).toEqual([true, false, false]);
    at(1);
    expect(kept()).toEqual([false, false, false]);
  });

  test("does not outlive its configuration", () => {
    const { availability } = watch();
    availability.keep("192.0.2.1", 1800);
    availability.renew();
    expect(availability.isKept("192.0.2.1")).toBe(false);
  });

  test("takes limited memory for any number of clients: older ones are asked for again", () => {
    const { availability } = watch();
    for (let i = 0; i <= 10_000; i++) availability.keep(`client ${i}`, 1800);
    expect([availability.isKept("client 0"), availability.isKept("client 10000")]).toEqual([false, true]);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseSettings } from "./settings.ts";

test("the sample file contains the defaults", () => {
  const sample = readFileSync(join(import.meta.dirname, "../../../conf/control/sqld-settings"), "latin1");
  expect(parseSettings(sample, "sqld-settings")).toEqual(parseSettings("", ""));
});

test.each([
  ["owner", { uids: [], owner: true }],
  ["root", { uids: [], owner: false }],
  ["89", { uids: [89], owner: false }],
  ["owner 89,90", { uids: [89, 90], owner: true }],
])("relay_recorders %s", (value, recorders) => {
  expect(parseSettings(`relay_recorders ${value}\n`, "")).toMatchObject({ recorders });
});

test.each(["", "everybody", "-1", "owner x", "1 ".repeat(65)])("relay_recorders %j is none", (value) => {
  expect(() => parseSettings(`relay_recorders ${value}\n`, "control/sqld-settings")).toThrow(
    /^control\/sqld-settings line 1: (relay_recorders: expected root, or uids and "owner"|expected)/,
  );
});

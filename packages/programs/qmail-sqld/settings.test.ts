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

test.each([
  ["root", { uids: [], names: [] }],
  ["89", { uids: [89], names: [] }],
  ["root qmaild,90 smtp-in", { uids: [90], names: ["qmaild", "smtp-in"] }],
])("login_callers %s", (value, loginCallers) => {
  expect(parseSettings(`login_callers ${value}\n`, "")).toMatchObject({ loginCallers });
});

test.each([
  ["none", []],
  ["10.1.2.3 10.2.0.0/16,2001:db8::/32", ["10.1.2.3", "10.2.0.0/16", "2001:db8::/32"]],
])("login_shared %s", (value, loginShared) => {
  expect(parseSettings(`login_shared ${value}\n`, "")).toMatchObject({ loginShared });
});

test.each(["login_callers", "login_callers 8x", "login_callers -1", "login_shared", "login_shared webmail"])(
  "%s is an error",
  (line) => expect(() => parseSettings(`${line}\n`, "f")).toThrow(/^f line 1: .*expected/),
);

import { describe, expect, test } from "vitest";
import { chooseVirtual, like, VirtualMisconfiguration, type VirtualRow, virtualPrefixes } from "./index.ts";

const row = (virtualUsername: string, virtualHost: string, username = `${virtualUsername}@${virtualHost}`) =>
  ({ username, ext: "", virtualUsername, virtualHost }) satisfies VirtualRow;

describe("like() is SQL's LIKE", () => {
  // checked against SELECT ... LIKE of MariaDB 10.11
  test.each([
    ["", "", true],
    ["", "%", true],
    ["a", "", false],
    ["abc", "a%", true],
    ["abc", "%c", true],
    ["abc", "%b%", true],
    ["abc", "_b_", true],
    ["abc", "_b", false],
    ["aXbXc", "a%X%c", true],
    ["ABC", "abc", true],
    ["a%c", "a\\%c", true],
    ["abc", "a\\%c", false],
    ["mail.x.org", "%.x.org", true],
    ["x.org", "%.x.org", false],
    ["\u212aim", "kim", false],
  ])("%j LIKE %j: %s", (text, pattern, expected) => {
    expect(like(text, pattern)).toBe(expected);
  });

  test("a hostile pattern takes little time", () => {
    const started = performance.now();
    expect(like("a".repeat(2000), `${"%a".repeat(500)}b`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

test.each([
  ["virtual.com-sales", [["virtual.com", "sales"]]],
  [
    "my-domain.com-sales",
    [
      ["my-domain.com", "sales"],
      ["my", "domain.com-sales"],
    ],
  ],
  ["x-", [["x", ""]]],
  ["-x", []],
  ["plain", []],
])("virtualPrefixes(%s): longest host first", (local, expected) => {
  expect(virtualPrefixes(local).map((way) => [way.host, way.local])).toEqual(expected);
});

describe("chooseVirtual()", () => {
  const plain = [row("sales", "x.org"), row("", "x.org", "catchall"), row("", "y.org", "other")];
  test.each([
    ["sales", "x.org", "sales@x.org"],
    ["SALES", "X.ORG", "sales@x.org"],
    ["info", "x.org", "catchall"],
    ["info", "z.org", undefined],
    ["%", "x.org", "catchall"],
  ])("plain: %s@%s -> %s", (local, host, expected) => {
    expect(chooseVirtual(plain, local, host)?.username).toBe(expected);
  });

  const funky = [
    row("%", "%", "everything"),
    row("%", "%.x.org", "subdomains"),
    row("%", "x.org", "catchall"),
    row("sales-%", "x.org", "sales"),
    row("sales-eu-%", "x.org", "europe"),
    row("sales-eu-1", "x.org", "exact"),
    row("sales-eu-1", "%.x.org", "exact user, pattern host"),
    row("", "x.org", "blank"),
  ];
  test.each([
    ["sales-eu-1", "x.org", "exact"],
    ["sales-eu-2", "x.org", "europe"],
    ["sales-us", "x.org", "sales"],
    ["info", "x.org", "catchall"],
    ["info", "mail.x.org", "subdomains"],
    ["sales-eu-1", "mail.x.org", "exact user, pattern host"],
    ["info", "z.org", "everything"],
  ])("funky: %s@%s -> %s, in whatever order the rows come", (local, host, expected) => {
    expect(chooseVirtual(funky, local, host, true)?.username).toBe(expected);
    expect(chooseVirtual(funky.toReversed(), local, host, true)?.username).toBe(expected);
  });

  test("funky: a blank virtual_username is no catch-all, as the FAQ warns", () => {
    expect(chooseVirtual([row("", "x.org", "blank")], "info", "x.org", true)).toBeUndefined();
  });

  test("a row without a username is reported and not used", () => {
    expect(() => chooseVirtual([row("sales", "x.org", "")], "sales", "x.org")).toThrow(
      new VirtualMisconfiguration(
        "MySQL misconfiguration: virtual row ('', '', 'sales', 'x.org') has no username",
      ),
    );
  });
});

import { describe, expect, test } from "vitest";
import {
  AliasMisconfiguration,
  type AliasRow,
  aliasKeys,
  chooseAliases,
  magicTarget,
  programsWithoutPlace,
} from "./index.ts";

const row = (alias: string, aliasUsername: string, aliasHost = "h.org"): AliasRow => ({
  username: "iain",
  alias,
  aliasUsername,
  aliasHost,
});

describe("chooseAliases()", () => {
  const rows = [
    row("@", "any"),
    row("", "own"),
    row("Sales", "two"),
    row("sales", ".", "/Maildir/"),
    row("sales", "|", "cmd"),
    row("info@x.org", "whole"),
    row("sales@x.org", "less"),
  ];
  test.each([
    ["sales", "x.org", ["|", ".", "two"]],
    ["SALES", "y.org", ["|", ".", "two"]],
    ["Info", "X.org", ["whole"]],
    ["info", "y.org", ["any"]],
    ["", "x.org", ["own"]],
    ["info@x.org", "y.org", ["whole"]],
    ["@", "x.org", ["any"]],
  ])("%j at %s, in whatever order the rows come", (ext, host, expected) => {
    const chosen = (given: readonly AliasRow[]) =>
      chooseAliases(given, ext, host).map(({ aliasUsername }) => aliasUsername);
    expect(chosen(rows)).toEqual(expected);
    expect(chosen(rows.toReversed())).toEqual(expected);
  });
  test("rows are ordered by position", () => {
    const at = (position: string | undefined, left: string, right = "h.org") => ({
      ...row("x", left, right),
      position,
    });
    const given = [
      at("2", ".", "/b/"),
      at("1", ".", "/a/"),
      at("2", "|", "c"),
      at("", "|", "b"),
      at("-1", "|", "a"),
    ];
    for (const rows of [given, given.toReversed()]) {
      const chosen = chooseAliases(rows, "x", "h.org").map((r) => r.aliasUsername + r.aliasHost);
      expect(chosen).toEqual(["|a", "|b", "./a/", "|c", "./b/"]);
    }
    expect(() => chooseAliases([at("first", "|", "x")], "x", "h.org")).toThrow(
      "has a position that is not a whole",
    );
    expect(programsWithoutPlace(given)).toEqual([at("2", "|", "c")]);
    expect(programsWithoutPlace([at(undefined, "|", "only")])).toEqual([]);
  });
  test("without a row the .qmail files decide", () => {
    expect(chooseAliases([row("sales", "x"), row("", "own")], "info", "x.org")).toEqual([]);
  });
  test("a catch-all of versions before 1.1.2 is reported and not used, and no mail is lost", () => {
    expect(aliasKeys("@", "x.org")).toContain("");
    expect(() => chooseAliases([row("", ".", "/Maildir/")], "@", "x.org")).toThrow(
      new AliasMisconfiguration(
        row("", ".", "/Maildir/"),
        "has a blank alias: for any extension it has to be '@'",
      ),
    );
  });
  test("needs at most four aliases", () => {
    for (const ext of ["", "x", "@", "\xff", "a@b"])
      expect(aliasKeys(ext, "h").length).toBeLessThanOrEqual(4);
  });
});

test("for any bytes of an address, only rows of exactly that alias are chosen", () => {
  const bytes = (seed: number) =>
    Array.from({ length: seed % 7 }, (_, i) =>
      String.fromCharCode((seed * 31 + i * 97 + (seed >> 3)) % 256),
    ).join("");
  for (let seed = 0; seed < 5000; seed++) {
    const [ext, host, other] = [bytes(seed), bytes(seed * 7 + 1), bytes(seed * 13 + 5)];
    const rows = [row(other, "other"), row(`${ext}@${host}`, "whole")];
    const chosen = chooseAliases(rows, ext, host);
    const own = other.toUpperCase() === ext.toUpperCase();
    if (!own && other !== "@" && ext !== "@") {
      expect(chosen.map(({ aliasUsername }) => aliasUsername)).toEqual(["whole"]);
    }
  }
});

test.each([
  ["forward", "virtual.com-user", "you@hotmail.com", "you@hotmail.com"],
  ["Forward", "virtual.com-user", "you@hotmail.com", "you@hotmail.com"],
  ["forward", "virtual.com-user", "", undefined],
  ["forward", "virtual.com-user", "you", undefined],
  ["iain", "virtual.com-user", "you@hotmail.com", undefined],
  // an address that anybody can use
  ["forward", "forward-you@hotmail.com", "you@hotmail.com", undefined],
  ["forward", "FORWARD-you@hotmail.com", "you@hotmail.com", undefined],
  ["forward", "forward+you@hotmail.com", "you@hotmail.com", undefined],
])("magic forwarding for %s, %s, %j: %s", (user, local, ext, expected) => {
  expect(magicTarget(user, local, ext)).toBe(expected);
});

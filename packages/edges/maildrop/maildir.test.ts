import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deliverToMaildir } from "./maildir.ts";

const MESSAGE = [Buffer.from("Subject: x\n\nbody\n")];

describe("a name that exists", () => {
  let top: string;
  let dir: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "maildir-"));
    dir = `${top}/`;
    for (const sub of ["tmp", "new", "cur"]) mkdirSync(join(top, sub));
  });
  afterEach(() => rmSync(top, { recursive: true }));

  const names = (...all: string[]) => {
    let next = 0;
    return () => all[next++] ?? "none left";
  };

  test("in new/ is not used: the message gets another, and the one that is there stays", () => {
    writeFileSync(join(top, "new/a"), "other");
    deliverToMaildir(dir, "Head\n", MESSAGE, names("a", "a", "b"));
    expect(readdirSync(join(top, "new")).sort()).toEqual(["a", "b"]);
    expect(readFileSync(join(top, "new/a"), "latin1")).toBe("other");
    expect(readFileSync(join(top, "new/b"), "latin1")).toBe("Head\nSubject: x\n\nbody\n");
    expect(readdirSync(join(top, "tmp"))).toEqual([]);
  });

  test("in tmp/ is not used", () => {
    writeFileSync(join(top, "tmp/a"), "another delivery's");
    deliverToMaildir(dir, "", MESSAGE, names("a", "b", "c"));
    expect(readdirSync(join(top, "new"))).toEqual(["c"]);
    expect(readdirSync(join(top, "tmp"))).toEqual(["a"]);
  });

  test("three times is a temporary failure, and nothing is left behind", () => {
    for (const name of ["b", "c", "d"]) writeFileSync(join(top, "new", name), "other");
    expect(() => deliverToMaildir(dir, "", MESSAGE, names("a", "b", "c", "d"))).toThrow(
      "Temporary error on maildir delivery. (#4.3.0)",
    );
    expect(readdirSync(join(top, "tmp"))).toEqual([]);
    expect(readdirSync(join(top, "new")).sort()).toEqual(["b", "c", "d"]);
  });
});

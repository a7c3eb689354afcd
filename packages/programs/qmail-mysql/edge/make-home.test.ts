import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { locate, makeMissing } from "./make-home.ts";

const THEM = 64801;

/** What another user does between root's look at a sticky directory and root's first mkdir(2) there. */
describe.skipIf(process.getuid?.() !== 0)("a name that appears in a sticky directory meanwhile", () => {
  let top: string;
  let sticky: string;
  let prize: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "make-home-"));
    chmodSync(top, 0o755);
    [sticky, prize] = [join(top, "sticky"), join(top, "prize")];
    mkdirSync(sticky);
    chmodSync(sticky, 0o1777);
    mkdirSync(prize, { mode: 0o700 });
  });
  afterEach(() => rmSync(top, { recursive: true }));

  test.each([
    ["a link in the place of the home", "h", () => symlinkSync(prize, join(sticky, "h"))],
    ["a link in the place of a parent", "h/deeper", () => symlinkSync(prize, join(sticky, "h"))],
    [
      "a directory with a link in it",
      "d/h",
      () => {
        mkdirSync(join(sticky, "d"));
        symlinkSync(prize, join(sticky, "d/h"));
      },
    ],
    ["a directory of theirs", "d", () => mkdirSync(join(sticky, "d"))],
  ])("%s is not used", (_, home, plant) => {
    const place = locate(join(sticky, home));
    expect(place).toMatchObject({ existing: sticky, rootOnly: true });
    plant();
    execFileSync("chown", ["-Rh", `${THEM}:${THEM}`, join(sticky, place.missing[0] as string)]);
    expect(() => makeMissing(place, 64800, 64100)).toThrow(/unable to create .*: file already exists/);
    const { uid, gid, mode } = lstatSync(prize);
    expect([uid, gid, mode & 0o7777]).toEqual([0, 0, 0o700]);
    expect(execFileSync("ls", ["-A", prize]).toString()).toBe("");
    expect(lstatSync(join(sticky, place.missing[0] as string)).uid).toBe(THEM);
  });
});

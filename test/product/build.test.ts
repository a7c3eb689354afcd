import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BIN } from "../lib/program.ts";

const ROOT = join(import.meta.dirname, "../..");
const dir = mkdtempSync(join(tmpdir(), "build-test-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("one tree makes one executable: here, in a copy elsewhere, with the processors busy", () => {
  const sums = execFileSync(join(ROOT, "scripts/reproducible.sh"), ["2"], { encoding: "utf8" });
  const shipped = createHash("sha256")
    .update(readFileSync(join(BIN, "qmail-mysql")))
    .digest("hex");
  expect(sums.trim()).toBe(`2 ${shipped}  -`);
}, 300_000);

describe("what is built is tried before it is kept", () => {
  const tryOut = (bin: string) => {
    const bun = execFileSync(join(ROOT, "scripts/find-bun.sh"), { encoding: "utf8" }).trim();
    return spawnSync("node", [join(ROOT, "scripts/try.js"), bin, bun], {
      encoding: "utf8",
      timeout: 100_000,
    });
  };
  test("as it is shipped, it is good", () => {
    const { status, stderr } = tryOut(BIN);
    expect([status, stderr]).toEqual([0, ""]);
  }, 120_000);

  test.each([
    ["qmail-local", "echo 'qmail-local: fatal: e.f is not a function' >&2; exit 111"],
    ["checkpassword", "echo checkpassword: usage: x; exit 2"],
    ["qmail-getpw", "echo qmail-getpw: usage: x; exit 100"],
  ])(
    "a %s that does not do its work is found",
    (name, script) => {
      const bin = join(dir, name);
      cpSync(BIN, bin, { recursive: true, verbatimSymlinks: true });
      rmSync(join(bin, name));
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const { status, stderr } = tryOut(bin);
      expect(status).toBe(1);
      expect(stderr).toContain(`${name}`);
    },
    120_000,
  );
});

test("a name that is no program's is refused", () => {
  symlinkSync(join(BIN, "qmail-mysql"), join(dir, "qmail-queue"));
  const { status, stderr } = spawnSync(join(dir, "qmail-queue"), { encoding: "utf8" });
  expect([status, stderr]).toEqual([
    111,
    "qmail-queue: fatal: unable to run qmail-queue: it is not a program of qmail-mysql\n",
  ]);
});

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Gone, timedReadAll } from "./timed-io.ts";

describe("timedReadAll", () => {
  const dir = mkdtempSync(join(tmpdir(), "timed-io-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  /** The read end of a pipe to which a shell writes. */
  const pipe = (name: string, script: string): number => {
    const path = join(dir, name);
    execFileSync("mkfifo", [path]);
    spawn("sh", ["-c", `{ ${script}; } >${path}`], { stdio: "ignore" });
    return openSync(path, "r");
  };

  test("reads to the end, in however many pieces it comes", async () => {
    const fd = pipe("pieces", "printf one; sleep 0.1; printf two");
    expect((await timedReadAll(fd, 512, 5000)).toString()).toBe("onetwo");
  });
  test("reads no more than one byte beyond the limit", async () => {
    expect(await timedReadAll(openSync("/dev/zero", "r"), 512, 5000)).toHaveLength(513);
  });
  test("gives up on a writer that neither writes nor ends", async () => {
    const began = performance.now();
    const fd = pipe("silent", "printf one; sleep 2");
    await expect(timedReadAll(fd, 512, 100)).rejects.toThrow(Gone);
    expect(performance.now() - began).toBeLessThan(1500);
  });
  test("keeps the reason of a descriptor that cannot be read", async () => {
    await expect(timedReadAll(openSync(dir, "r"), 512, 5000)).rejects.toMatchObject({ code: "EISDIR" });
  });
});

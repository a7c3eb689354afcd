import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { NOFILES, QMAILD } from "./accounts.ts";

const SPLIT = 23; // conf-split of qmail
const PARTS = ["", "pid", "mess", "intd", "todo", ...Array.from({ length: SPLIT }, (_, i) => `mess/${i}`)];

/** Makes the parts of a queue that qmail-queue uses, for small-queue.c run as qmaild. */
export function makeSmallQueue(queue: string): void {
  for (const part of PARTS) {
    mkdirSync(join(queue, part), { recursive: true });
    chownSync(join(queue, part), QMAILD, NOFILES);
  }
}

/** Compiles small-queue.c to `dir`/small-queue, which it returns. */
export function compileSmallQueue(dir: string): string {
  const program = join(dir, "small-queue");
  execFileSync("gcc", ["-O", "-o", program, join(import.meta.dirname, "small-queue.c")]);
  return program;
}

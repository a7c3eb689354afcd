import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The results of a part, with time and machine: a JSON file in results/. */
export interface Kept {
  /** UTC, to the minute. */
  readonly when: string;
  readonly seconds: number;
  /** The load average before and after. */
  readonly load: readonly [number, number];
  /** false: it failed. */
  readonly ended: boolean;
  readonly commit: string;
  readonly machine: string;
  /** The fields of a line depend on the part. */
  readonly lines: readonly unknown[];
}

export const RESULTS = join(import.meta.dirname, "../results");
const fileOf = (part: string) => join(RESULTS, `${part}.json`);

export function keep(part: string, kept: Kept): void {
  writeFileSync(fileOf(part), `${JSON.stringify(kept, null, 2)}\n`);
}

/** Undefined if it was never measured. */
export function recall(part: string): Kept | undefined {
  return existsSync(fileOf(part)) ? JSON.parse(readFileSync(fileOf(part), "utf8")) : undefined;
}

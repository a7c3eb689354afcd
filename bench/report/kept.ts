import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a part found, and when and where: a file of JSON below results/. */
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
  /** Each part's lines have fields of their own. */
  readonly lines: readonly unknown[];
}

export const RESULTS = join(import.meta.dirname, "../results");
const fileOf = (part: string) => join(RESULTS, `${part}.json`);

export function keep(part: string, kept: Kept): void {
  writeFileSync(fileOf(part), `${JSON.stringify(kept, null, 2)}\n`);
}

/** undefined: it was never measured. */
export function recall(part: string): Kept | undefined {
  return existsSync(fileOf(part)) ? JSON.parse(readFileSync(fileOf(part), "utf8")) : undefined;
}

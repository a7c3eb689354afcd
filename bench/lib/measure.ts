import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Command = readonly string[];
type Env = Readonly<Record<string, string>>;

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const RUNS = Number(process.env.RUNS ?? 40);
const MEMORY_RUNS = 5;

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? 0) + (sorted[(sorted.length - 1) >> 1] ?? 0)) / 2;
}

/** Milliseconds from start to end of each command: the median of the medians of interleaved rounds. */
export function times(commands: readonly Command[], env: Env): number[] {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  const medians = commands.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    const file = join(dir, "json");
    const lines = commands.map((command) => command.map((word) => `'${word}'`).join(" "));
    const flags = ["-N", "--style=none", "--warmup=5", `--runs=${RUNS}`, `--export-json=${file}`];
    execFileSync("hyperfine", [...flags, ...lines], { env, stdio: "pipe" });
    const { results } = JSON.parse(readFileSync(file, "utf8")) as { results: { median: number }[] };
    results.forEach((result, i) => {
      medians[i]?.push(result.median * 1000);
    });
  }
  rmSync(dir, { recursive: true });
  return medians.map(median);
}

/** Megabytes of a command's largest resident set, by time(1). */
export function memory(command: Command, env: Env): number {
  let most = 0;
  for (let run = 0; run < MEMORY_RUNS; run++) {
    const { stderr } = spawnSync("/usr/bin/time", ["-v", ...command], { env, encoding: "utf8" });
    most = Math.max(most, Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(stderr)?.[1]));
  }
  if (!(most > 0)) throw new Error(`unable to measure the memory of ${command.join(" ")}`);
  return most / 1024;
}

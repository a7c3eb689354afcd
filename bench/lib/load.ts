import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { median } from "./measure.ts";

/** The directory of the compiled load programs. */
export const TOOLS = join(import.meta.dirname, "../../build/bench");

/** The output of a load program: rate per second, and times in milliseconds. */
export interface Load {
  readonly rate: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  readonly done: number;
}

const WARM_UP = 800; // milliseconds

type Env = Readonly<Record<string, string>>;

/** Runs a load program until it ends. Throws if it, or one of its operations, failed. */
export function load(program: string, args: readonly (string | number)[], env: Env = {}): Load {
  const { stdout, stderr } = spawnSync(join(TOOLS, program), args.map(String), { env, encoding: "utf8" });
  const words = /^(\d+)\/s median (\S+) ms p99 (\S+) ms max (\S+) ms failed (\d+) of (\d+)/.exec(stdout);
  const [rate = 0, median = 0, p99 = 0, max = 0, failed = 0, done = 0] = (words ?? []).slice(1).map(Number);
  if (done === 0 || failed > 0) {
    throw new Error(`${program} ${args.join(" ")}: ${stdout.trim()} ${stderr.split("\n", 1)[0]}`);
  }
  return { rate, median, p99, max, done };
}

const ROUNDS = 3;

/** Measures all in interleaved rounds, so that variations of the machine affect each equally; returns medians. */
export function turns<T>(things: readonly T[], measure: (thing: T) => Load): (T & Load)[] {
  const rounds = Array.from({ length: ROUNDS }, () => things.map(measure));
  return things.map((thing, i) => {
    const of = (field: keyof Load) => median(rounds.map((round) => round[i]?.[field] ?? 0));
    const [rate, p99, max, done] = [of("rate"), of("p99"), of("max"), of("done")];
    return { ...thing, rate, median: of("median"), p99, max, done };
  });
}

/** Seconds of one round, of `seconds` in total; SECONDS overrides the total. */
export const roundOf = (seconds: number): number => Number(process.env.SECONDS ?? seconds) / ROUNDS;

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Runs `work` while other programs run, which are ended with it; returns its result. */
export function beside<T>(others: readonly (readonly (string | number)[])[], work: () => T): T {
  const children = others.map(([program, ...args]) =>
    spawn(String(program), args.map(String), { stdio: "ignore" }),
  );
  try {
    Atomics.wait(nap, 0, 0, WARM_UP);
    return work();
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

import { appendFileSync } from "node:fs";

/** The result of one measurement: a line of JSON in the file that RESULTS names. */
export type Result = Readonly<Record<string, string | number | boolean | readonly number[] | null>>;

export function emit(result: Result): void {
  if (process.env.RESULTS) appendFileSync(process.env.RESULTS, `${JSON.stringify(result, rounded)}\n`);
}

const rounded = (_: string, value: unknown) =>
  typeof value === "number" ? Number(value.toPrecision(5)) : value;

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

import { type Chart, grouped } from "./chart.ts";

/** A requirement, and whether it is met; undefined if it was not measured. */
export interface Bar {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  readonly met: boolean | undefined;
}

/** The section of one part of the suite. */
export interface Section {
  readonly title: string;
  /** How it was measured. */
  readonly how: string;
  readonly table: Table;
  readonly bars: readonly Bar[];
  /** By the name of the file, without its extension. */
  readonly charts: Readonly<Record<string, Chart>>;
  /** The text after the tables. */
  readonly note?: string;
}

export type Table = readonly (readonly string[])[];

/** A result of a part: a line of JSON, with fields that depend on the part. */
export type Lines<T> = readonly T[];

/** A load and its result. */
export interface Load {
  /** A daemon asked over its socket, or a program executed for each. */
  readonly how: "socket" | "exec";
  readonly what: string;
  /** Number of concurrent clients. */
  readonly at: number;
  readonly rate: number;
  readonly median: number;
  readonly p99: number;
}

/** The cells of each in a table. */
export const loadCells = ({ at, rate, median, p99 }: Load): string[] => [
  `${at}`,
  grouped(rate),
  median.toFixed(2),
  p99.toFixed(2),
];

/** A table in Markdown. The first row is the header. */
export function markdown([head = [], ...rows]: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? 0) + (sorted[(sorted.length - 1) >> 1] ?? 0)) / 2;
}

/** The distinct values, in the order of their first occurrence. */
export const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** The requirement of at least `least` times the rate of a peer. */
export function atLeast(
  what: string,
  ours: number | null | undefined,
  peer: number | null | undefined,
  least: number,
): Bar {
  return compared(what, ours, peer, `at least ${Number(least.toFixed(2))}`, (ratio) => ratio >= least);
}

/** The requirement of at most `most` times the value of a peer. */
export function atMost(
  what: string,
  ours: number | null | undefined,
  peer: number | null | undefined,
  most: number,
): Bar {
  return compared(what, ours, peer, `at most ${most}`, (ratio) => ratio <= most);
}

function compared(
  what: string,
  ours: number | null | undefined,
  peer: number | null | undefined,
  bar: string,
  isMet: (ratio: number) => boolean,
): Bar {
  if (typeof ours !== "number") return { what, bar, measured: "it failed", met: false };
  if (typeof peer !== "number") return { what, bar, measured: "no peer was measured", met: undefined };
  const ratio = ours / peer;
  return { what, bar, measured: ratio.toFixed(2), met: isMet(ratio) };
}

import { type Chart, grouped } from "./chart.ts";

/** What was asked for, and whether it is so; undefined when it was not measured. */
export interface Bar {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  readonly met: boolean | undefined;
}

/** What one part of the suite has to say. */
export interface Section {
  readonly title: string;
  /** How it was measured. */
  readonly how: string;
  readonly table: Table;
  readonly bars: readonly Bar[];
  /** By the name of the file, without its ending. */
  readonly charts: Readonly<Record<string, Chart>>;
  /** What follows the tables. */
  readonly note?: string;
}

export type Table = readonly (readonly string[])[];

/** The parts' results are lines of JSON, each part with fields of its own. */
export type Lines<T> = readonly T[];

/** A load and how it went. */
export interface Load {
  /** Asked of a daemon over its socket, or exec'd for each. */
  readonly how: "socket" | "exec";
  readonly what: string;
  /** So many at a time. */
  readonly at: number;
  readonly rate: number;
  readonly median: number;
  readonly p99: number;
}

/** The cells that each of them has in a table. */
export const loadCells = ({ at, rate, median, p99 }: Load): string[] => [
  `${at}`,
  grouped(rate),
  median.toFixed(2),
  p99.toFixed(2),
];

/** A table of Markdown. The first row is its head. */
export function markdown([head = [], ...rows]: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? 0) + (sorted[(sorted.length - 1) >> 1] ?? 0)) / 2;
}

/** Each of them once, in the order of their coming. */
export const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** At least `least` times a peer. */
export function atLeast(
  what: string,
  ours: number | null | undefined,
  peer: number | null | undefined,
  least: number,
): Bar {
  return compared(what, ours, peer, `at least ${Number(least.toFixed(2))}`, (ratio) => ratio >= least);
}

/** At most `most` times a peer. */
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

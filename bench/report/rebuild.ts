import { grouped } from "./chart.ts";
import { distinct, type Lines, type Section } from "./section.ts";

/** A line of rebuild.sh: a run, or the maximum memory. */
interface Rebuild {
  readonly part?: string;
  readonly how?: string;
  readonly ms?: number;
  readonly rows?: number;
  readonly kB?: number;
}

export function rebuild(lines: Lines<Rebuild>): Section {
  const runs = lines.flatMap(({ part, how, ms }) => (part && how && ms ? [{ part, how, ms }] : []));
  const parts = distinct(runs.map(({ part }) => part));
  const times = (of: string, by: string) =>
    runs.filter(({ part, how }) => part === of && how === by).map(({ ms }) => ms);
  const least = (of: string, by: string) => Math.min(...times(of, by));
  const memory = lines.find(({ kB }) => kB !== undefined)?.kB ?? 0;
  return {
    title: "rebuild-cdb",
    how: `\`rebuild.sh\`: ${grouped(lines[0]?.rows ?? 0)} rows of each table, SQLite. Beside it what a shell would do: the database's client, its text through \`cdb -c\`. Both sync what they wrote; the files are the same to the byte. The least of the runs counts.`,
    table: [
      ["what", "ours ms", "shell ms", "ratio"],
      ...parts.map((part) => [
        part,
        times(part, "ours").join(" "),
        times(part, "shell").join(" "),
        (least(part, "ours") / least(part, "shell")).toFixed(2),
      ]),
    ],
    bars: [],
    charts: {
      rebuild: {
        title: `rebuild-cdb, ${grouped(lines[0]?.rows ?? 0)} rows of each table`,
        axis: "milliseconds",
        series: [
          { name: "the client and cdb -c", ours: false },
          { name: "rebuild-cdb", ours: true },
        ],
        groups: parts.map((part) => ({ label: part, values: [least(part, "shell"), least(part, "ours")] })),
      },
    },
    note: `Memory at most ${(memory / 1024).toFixed(0)} MB.`,
  };
}

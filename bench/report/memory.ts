import { grouped } from "./chart.ts";
import { distinct, type Lines, type Section } from "./section.ts";

/** A line of memory.ts. */
interface Memory {
  readonly fileSystem: string;
  readonly what: string;
  readonly users: number;
  readonly at: number;
  readonly rate: number;
  /** Megabytes. */
  readonly pss: number;
  readonly processes: number;
}

const MOST = 200; // MB

export function memory(lines: Lines<Memory>): Section {
  const ours = lines.filter(({ what }) => what === "ours");
  const users = lines[0]?.users ?? 0;
  const most = Math.max(...ours.map(({ pss }) => pss));
  const cases = distinct(lines.map(({ fileSystem, at }) => `${fileSystem}, ${at} at a time`));
  const whats = distinct(lines.map(({ what }) => what));
  return {
    title: "Memory of qmail-lspawn on a machine of 1 GB",
    how: `\`memory.ts\`: deliveries to ${users} uids, at the defaults, in a memory cgroup of 1 GB that holds qmail-lspawn and its workers. The memory is the most that was seen of the sum of the proportional set sizes (PSS) of qmail-lspawn and all its descendants, in a run of its own; the rate is the median of runs in which all take turns. qmail-sqld and MariaDB are outside, and so are not counted.`,
    table: [
      ["file system", "at a time", "", "deliveries/s", "MB", "processes"],
      ...lines.map(({ fileSystem, at, what, rate, pss, processes }) => [
        ...[fileSystem, `${at}`, what, grouped(Math.round(rate))],
        ...[pss.toFixed(0), `${processes}`],
      ]),
    ],
    bars: [
      {
        what: `PSS of qmail-lspawn and its workers at the defaults on 1 GB, ${users} uids`,
        bar: `at most ${MOST} MB`,
        measured: `${most.toFixed(0)} MB`,
        met: most <= MOST,
      },
    ],
    charts: {
      memory: {
        title: `Deliveries to ${users} uids on a machine of 1 GB, at the defaults`,
        axis: "deliveries per second, each on the disk",
        series: whats.map((name) => ({ name, ours: name.startsWith("ours") })),
        groups: cases.map((label) => ({
          label,
          values: whats.map(
            (what) =>
              lines.find((line) => line.what === what && `${line.fileSystem}, ${line.at} at a time` === label)
                ?.rate,
          ),
        })),
      },
    },
  };
}

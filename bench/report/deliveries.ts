import { type Chart, grouped } from "./chart.ts";
import { atLeast, type Bar, distinct, type Lines, type Section } from "./section.ts";

/** A line of deliveries.ts: a case, or what was counted under strace. */
interface Line {
  readonly fileSystem: string;
  readonly what: string;
  /** Milliseconds added to each wait for the disk. */
  readonly ms?: number;
  readonly users?: number;
  readonly at?: number;
  /** null: it failed. */
  readonly rate?: number | null;
  /** Rate in the warm-up, which begins with the start of the program. */
  readonly first?: number | null;
  /** Waits for the disk per delivery. */
  readonly waits?: number | null;
  readonly deliveries?: number;
  readonly seen?: number;
  readonly counted?: number;
}
type Case = Line & { readonly ms: number; readonly users: number; readonly at: number };
type Where = Pick<Case, "fileSystem" | "ms" | "users" | "at">;

const [STOCK, LOOKED, OURS, CROWDED] = ["stock", "stock, the C lookup exec'd", "ours", "ours, 120 workers"];
/** Required ratio to stock, by concurrent deliveries and added milliseconds. */
const TIMES_STOCK: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  20: { 0: 2, 2: 1.5, 8: 1 },
  100: { 0: 2, 2: 2, 8: 1.5 },
};
/** The same for one delivery at a time on a fast disk, by number of uids. */
const ALONE: Readonly<Record<number, number>> = { 1: 1.9, 200: 1.4 };
const TIMES_LOOKED = 4;
const TIMES_CROWDED = 0.8;

const uids = (users: number) => (users === 1 ? "1 uid" : `${users} uids`);
const figure = (rate: number | null | undefined) =>
  rate === undefined ? "" : rate === null ? "failed" : grouped(Math.round(rate));
const times = (a: number | null | undefined, b: number | null | undefined) =>
  a && b ? (a / b).toFixed(2) : "";

export function deliveries(lines: Lines<Line>): Section {
  const cases = lines.filter((line): line is Case => line.ms !== undefined);
  const counts = lines.filter(({ seen }) => seen !== undefined);
  const whats = distinct(cases.map(({ what }) => what));
  const wheres = distinct(
    cases.map(({ fileSystem, ms, users, at }) => JSON.stringify({ fileSystem, ms, users, at })),
  ).map((text) => JSON.parse(text) as Where);
  const find = (where: Where, what: string) =>
    cases.find(
      (one) =>
        one.what === what &&
        one.fileSystem === where.fileSystem &&
        one.ms === where.ms &&
        one.users === where.users &&
        one.at === where.at,
    );
  const rate = (where: Where, what: string) => find(where, what)?.rate;
  return {
    title: "Deliveries",
    how: "`deliveries.ts`: messages of 3 KB through the spawn protocol, as qmail-send asks for them, into Maildirs. Medians of rounds in which all take turns; each round warms up first, for as long as it then measures, and the last column is ours in the warm-up, from the start of the program on, when it starts its workers and compiles. Each wait for the disk (fsync and its like) takes so many milliseconds more, asleep, in every program alike: `c/slow-fsync.c`, preloaded, which also counts them. Stock has its users in /etc/passwd; the C lookup is its qmail-getpw, with a MariaDB connection of its own; ours asks qmail-sqld, on the same MariaDB, and may have 250 workers.",
    table: [
      [
        ...["file system", "ms more", "uids", "at a time"],
        ...whats.map((what) => `${what}: deliveries/s`),
        ...["ours / stock", "ours / C lookup", "waits for the disk, stock and ours", "ours at first"],
      ],
      ...wheres.map((where) => [
        ...[where.fileSystem, where.ms, where.users, where.at].map(String),
        ...whats.map((what) => figure(rate(where, what))),
        times(rate(where, OURS), rate(where, STOCK)),
        times(rate(where, OURS), rate(where, LOOKED)),
        [STOCK, OURS].map((what) => find(where, what)?.waits?.toFixed(1) ?? "").join(" "),
        figure(find(where, OURS)?.first),
      ]),
    ],
    bars: wheres.flatMap((where) => barsOf(where, (what) => rate(where, what))),
    charts: charts(cases, whats),
    note: noteOf(counts, whats.includes(STOCK)),
  };
}

function barsOf(where: Where, rate: (what: string) => number | null | undefined): Bar[] {
  const { fileSystem, ms, users, at } = where;
  const named = `deliveries/s, ${fileSystem}, ${ms} ms more, ${uids(users)}, ${at} at a time`;
  const stock = at === 1 ? (ms === 0 ? ALONE[users] : undefined) : TIMES_STOCK[at]?.[ms];
  const compare = (what: string, peer: string, least: number) =>
    atLeast(`${named}: ${what} / ${peer}`, rate(what), rate(peer), least);
  return [
    ...(stock === undefined ? [] : [compare(OURS, STOCK, stock)]),
    ...(ms === 0 && at === 20 ? [compare(OURS, LOOKED, TIMES_LOOKED)] : []),
    ...(ms === 0 && at === 20 && rate(CROWDED) !== undefined ? [compare(CROWDED, STOCK, TIMES_CROWDED)] : []),
  ];
}

/** One for each file system and number of uids. */
function charts(cases: readonly Case[], whats: readonly string[]): Record<string, Chart> {
  const all = distinct(cases.map(({ fileSystem }) => fileSystem)).flatMap((fileSystem, disk) =>
    distinct(cases.map(({ users }) => users)).map((users): [string, Chart] => {
      const own = cases.filter((one) => one.fileSystem === fileSystem && one.users === users);
      const label = ({ ms, at }: Case) => `${ms} ms more, ${at} at a time`;
      const groups = distinct(own.map(label)).map((name) => ({
        label: name,
        values: whats.map(
          (what) => own.find((one) => one.what === what && label(one) === name)?.rate ?? undefined,
        ),
      }));
      return [
        `deliveries-${disk + 1}-${users}`,
        {
          title: `Deliveries to ${uids(users)}, ${fileSystem}`,
          axis: "deliveries per second, each on the disk",
          series: whats.map((name) => ({ name, ours: name.startsWith("ours") })),
          groups,
        },
      ];
    }),
  );
  return Object.fromEntries(all);
}

function noteOf(counts: Lines<Line>, stock: boolean): string {
  const seen = counts.map(
    ({ what, fileSystem, deliveries, seen, counted }) =>
      `${what}, ${fileSystem}: ${deliveries} deliveries, ${seen} waits, ${counted} of them counted`,
  );
  return [
    seen.length > 0 ? `Under strace, to see that no wait escapes the delay: ${seen.join("; ")}.` : "",
    stock ? "" : "The stock qmail was not measured: `STOCK_QMAIL`, the home of one, was not set.",
  ]
    .filter(Boolean)
    .join(" ");
}

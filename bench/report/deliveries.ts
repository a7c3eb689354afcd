import { type Chart, grouped } from "./chart.ts";
import { atLeast, distinct, type Lines, type Section } from "./section.ts";

/** A line of lspawn.sh. */
interface Delivery {
  readonly what: string;
  readonly at: number;
  readonly users: number;
  /** null: it failed. */
  readonly rate: number | null;
  /** The same for as many before, from the start of the program on. */
  readonly first: number | null;
  readonly n: number;
}

const AT = 20; // where the bars are

export function deliveries(lines: Lines<Delivery>): Section {
  const whats = distinct(lines.map(({ what }) => what));
  const cases = distinct(lines.map(({ at, users }) => `${at} ${users}`)).map((one) =>
    one.split(" ").map(Number),
  );
  const users = distinct(lines.map((line) => line.users));
  const rate = (what: string | undefined, at?: number, of?: number) =>
    lines.find((line) => line.what === what && line.at === at && line.users === of)?.rate;
  const atFirst = (what: string, of: number) =>
    lines.find((line) => line.what === what && line.at === AT && line.users === of)?.first;
  const isOurs = (what: string) => what.startsWith("ours");
  const [stock, looked] = ["passwd", "C lookup"].map((word) =>
    whats.find((what) => !isOurs(what) && what.includes(word)),
  );
  const resident = whats.filter((what) => what.includes("qmail-sqld"));
  const uids = (of: number) => (of === 1 ? "1 uid" : `${of} uids`);
  const chart = (of: number): Chart => ({
    title: `Deliveries to ${uids(of)}`,
    axis: "deliveries per second, each fsynced",
    series: whats.map((name) => ({ name, ours: isOurs(name) })),
    groups: distinct(lines.map(({ at }) => at)).map((at) => ({
      label: `${at} at a time`,
      values: whats.map((what) => rate(what, at, of) ?? undefined),
    })),
  });
  return {
    title: "Deliveries",
    how: `\`lspawn.sh\`: ${grouped(lines[0]?.n ?? 0)} deliveries of 3 KB through the spawn protocol, as qmail-send asks for them, into Maildirs on one disk. Each delivery is fsynced, everywhere. They follow on as many others, whose rate, from the start of the program on, is in the last columns: then a resident program starts its workers, and compiles.`,
    table: [
      [
        "deliveries/s",
        ...cases.map(([at, of = 0]) => `${at} at a time, ${uids(of)}`),
        ...users.map((of) => `at first, ${AT} at a time, ${uids(of)}`),
      ],
      ...whats.map((what) => [
        what,
        ...cases.map(([at, of]) => figure(rate(what, at, of))),
        ...users.map((of) => figure(atFirst(what, of))),
      ]),
    ],
    bars: users.flatMap((of) =>
      resident.flatMap((what) => [
        atLeast(
          `deliveries/s, ${AT} at a time, ${uids(of)}: ${what} / stock`,
          rate(what, AT, of),
          rate(stock, AT, of),
          2,
        ),
        atLeast(
          `the same deliveries/s / stock, the C lookup exec'd`,
          rate(what, AT, of),
          rate(looked, AT, of),
          4,
        ),
      ]),
    ),
    charts: Object.fromEntries(users.map((of) => [`deliveries-${of}`, chart(of)])),
    ...(!stock && { note: "The stock qmail was not measured: `STOCK_QMAIL`, the home of one, was not set." }),
  };
}

const figure = (rate: number | null | undefined) =>
  typeof rate === "number" ? grouped(Math.round(rate)) : "failed";

import { grouped } from "./chart.ts";
import { atMost, distinct, type Lines, median, type Section } from "./section.ts";

/** A line of mailboxes.ts: the size of the table and of MariaDB's buffer, or a round. */
interface Mailboxes {
  readonly tableMB?: number;
  readonly poolMB?: number;
  readonly mailboxes?: number;
  readonly cache?: boolean;
  /** null: it failed. */
  readonly rate?: number | null;
  readonly n?: number;
  readonly at?: number;
}

const MOST = 1.2;

export function mailboxes(lines: Lines<Mailboxes>): Section {
  const rounds = lines.flatMap(({ mailboxes, cache, rate, n, at }) =>
    mailboxes && cache !== undefined && rate && n && at ? [{ mailboxes, cache, rate, n, at }] : [],
  );
  const { tableMB, poolMB } = lines.find((line) => line.tableMB !== undefined) ?? {};
  const failed = lines.filter(({ rate }) => rate === null).length;
  const sizes = distinct(rounds.map((round) => round.mailboxes));
  const caches = distinct(rounds.map(({ cache }) => cache));
  const rates = (size: number | undefined, cache: boolean) =>
    rounds.filter((round) => round.mailboxes === size && round.cache === cache).map(({ rate }) => rate);
  const cost = (size: number | undefined, cache: boolean) => 1e6 / median(rates(size, cache));
  const named = (cache: boolean) => (cache ? "cache as it comes (16 MB)" : "no cache");
  const [few, many] = [sizes[0], sizes.at(-1)];
  return {
    title: "A thousand mailboxes and a million",
    how: `\`mailboxes.ts\`: ${grouped(rounds[0]?.n ?? 0)} deliveries a round, ${rounds[0]?.at} at a time, to random mailboxes, through qmail-sqld; the tables take turns, medians of the rounds. All mailboxes have one home and one uid, so that only the table grows. With its cache, qmail-sqld soon knows all of a thousand, and of a million hardly any: then the two differ by what the questions to MariaDB cost. With \`cache 0\` and \`ttl 0\` both ask for each delivery, and only the size of the table is left: ${tableMB} MB in MariaDB, whose buffer pool has ${poolMB}.`,
    table: [
      ["qmail-sqld", ...sizes.map((size) => `${grouped(size)} mailboxes: deliveries/s`), "rounds", "cost"],
      ...caches.map((cache) => [
        named(cache),
        ...sizes.map((size) => grouped(Math.round(median(rates(size, cache))))),
        sizes
          .map((size) =>
            rates(size, cache)
              .map((rate) => Math.round(rate))
              .join(" "),
          )
          .join(" / "),
        (cost(many, cache) / cost(few, cache)).toFixed(2),
      ]),
    ],
    bars: caches.map((cache) =>
      atMost(
        `cost of a delivery, 1,000,000 mailboxes / 1,000, ${named(cache)}`,
        cost(many, cache),
        cost(few, cache),
        MOST,
      ),
    ),
    ...(failed > 0 && { note: `${failed} rounds failed.` }),
    charts: {
      mailboxes: {
        title: "Deliveries to random ones of a thousand mailboxes and of a million",
        axis: "deliveries per second",
        series: sizes.map((size) => ({ name: `${grouped(size)} mailboxes`, ours: true })),
        groups: caches.map((cache) => ({
          label: named(cache),
          values: sizes.map((size) => median(rates(size, cache))),
        })),
      },
    },
  };
}

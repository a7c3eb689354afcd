import { type Bar, distinct, type Lines, median, type Section } from "./section.ts";

/** A line of disturbed.ts, one per round. */
interface Round {
  readonly kept: boolean;
  readonly beside: string;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

const MOST = 100; // ms that a hostile client may cost

export function disturbed(lines: Lines<Round>): Section {
  const besides = distinct(lines.map(({ beside }) => beside));
  const [nothing = "", hashing = "", computing = "", hostile = ""] = besides;
  const all = (kept: boolean, beside: string, of: "median" | "p99" | "max") =>
    lines.filter((line) => line.kept === kept && line.beside === beside).map((line) => line[of]);
  const p99 = (kept: boolean, beside: string) => median(all(kept, beside, "p99"));
  const named = (kept: boolean) => (kept ? "answers kept" : "each asked of MariaDB");
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const bars = [true, false].flatMap((kept): Bar[] => {
    const [alone, hashed, computed, attacked] = [nothing, hashing, computing, hostile].map((one) =>
      p99(kept, one),
    );
    const [a = 0, h = 0, c = 0, x = 0] = [alone, hashed, computed, attacked];
    return [
      {
        what: `p99 of a lookup while ${hashing} run, ${named(kept)}`,
        bar: "unaffected: no more than the same computing elsewhere costs",
        measured: `${ms(h)}; elsewhere ${ms(c)}, idle ${ms(a)}`,
        met: h <= Math.max(c * 1.2, a * 1.2, a + 1),
      },
      {
        what: `p99 of a lookup beside ${hostile}, ${named(kept)}`,
        bar: `at most ${MOST} ms more`,
        measured: `${ms(x)}, idle ${ms(a)}`,
        met: x - a <= MOST,
      },
    ];
  });
  return {
    title: "Lookups while something else goes on",
    how: "`disturbed.ts`: 500 lookups a second through qmail-sqld, 10 clients, each lookup's time from when it was due; the cases take turns, medians of the rounds. The bcrypt logins (cost 10) are computed by qmail-sqld's two hashers at nice 10, so two processes as nice that have nothing to do with qmail-sqld show what the machine's two cores alone cost. The hostile client (`hostile.c`) sends random bytes, announces what it never sends, writes one byte at a time and floods without reading, as fast as one process can, and connects again whenever it is closed.",
    table: [
      ["beside", "answers", "median ms", "p99 ms", "greatest ms"],
      ...[true, false].flatMap((kept) =>
        besides.map((beside) => [
          beside,
          named(kept),
          median(all(kept, beside, "median")).toFixed(2),
          p99(kept, beside).toFixed(2),
          Math.max(...all(kept, beside, "max")).toFixed(2),
        ]),
      ),
    ],
    bars,
    charts: {
      disturbed: {
        title: "99 of 100 lookups are answered within",
        axis: "milliseconds",
        series: besides.map((name) => ({ name, ours: name !== computing })),
        groups: [true, false].map((kept) => ({
          label: named(kept),
          values: besides.map((beside) => p99(kept, beside)),
        })),
      },
    },
  };
}

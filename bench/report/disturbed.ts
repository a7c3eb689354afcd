import { type Bar, distinct, type Lines, type Section } from "./section.ts";

/** A line of disturbed.ts: medians over the rounds. */
interface Disturbed {
  readonly kept: boolean;
  readonly beside: string;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

const MOST = 100; // ms that a hostile client may cost

export function disturbed(lines: Lines<Disturbed>): Section {
  const besides = distinct(lines.map(({ beside }) => beside));
  const [nothing = "", hashing = "", computing = "", hostile = ""] = besides;
  const of = (kept: boolean, beside: string) =>
    lines.find((line) => line.kept === kept && line.beside === beside);
  const p99 = (kept: boolean, beside: string) => of(kept, beside)?.p99 ?? Number.NaN;
  const named = (kept: boolean) => (kept ? "answers kept" : "each asked of MariaDB");
  const ms = (value = Number.NaN) => value.toFixed(2);
  const bars = [true, false].flatMap((kept): Bar[] => {
    const [idle, hashed, computed, attacked] = [
      p99(kept, nothing),
      p99(kept, hashing),
      p99(kept, computing),
      p99(kept, hostile),
    ];
    return [
      {
        what: `p99 of a lookup while ${hashing} run, ${named(kept)}`,
        bar: "unaffected: no more than the same computing elsewhere costs",
        measured: `${ms(hashed)} ms; elsewhere ${ms(computed)}, idle ${ms(idle)}`,
        met: hashed <= Math.max(computed * 1.2, idle * 1.2, idle + 1),
      },
      {
        what: `p99 of a lookup beside ${hostile}, ${named(kept)}`,
        bar: `at most ${MOST} ms more`,
        measured: `${ms(attacked)} ms, idle ${ms(idle)}`,
        met: attacked - idle <= MOST,
      },
    ];
  });
  return {
    title: "Lookups while something else goes on",
    how: "`disturbed.ts`: 500 lookups a second through qmail-sqld, 10 clients, each lookup's time from when it was due; the cases take turns, medians of the rounds. The bcrypt logins (cost 10) are computed by qmail-sqld's hashers at nice 10; as many processes, as nice, that have nothing to do with qmail-sqld show what the machine's cores alone cost. The hostile client (`hostile.c`) sends random bytes, announces what it never sends, writes one byte at a time and floods without reading, as fast as one process can, and connects again whenever it is closed.",
    table: [
      ["beside", "answers", "median ms", "p99 ms", "greatest ms"],
      ...[true, false].flatMap((kept) =>
        besides.map((beside) => [
          beside,
          named(kept),
          ms(of(kept, beside)?.median),
          ms(p99(kept, beside)),
          ms(of(kept, beside)?.max),
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

import type { Bar, Lines, Section } from "./section.ts";

/** A line of processes.ts; the empty program has no peer. */
interface Process {
  readonly program: string;
  readonly what?: string;
  readonly name?: string;
  readonly bar?: number;
  readonly c?: number;
  readonly ours: number;
  readonly cMB?: number;
  readonly oursMB: number;
}

const MEMORY = 60; // MB

export function processes(lines: Lines<Process>): Section {
  const pairs = lines.flatMap(({ what, name, bar, c, cMB, ...line }) =>
    what && name && bar && c && cMB ? [{ ...line, what, name, bar, c, cMB }] : [],
  );
  const empty = lines.find(({ program }) => program === "empty");
  const drawn = pairs.filter(({ what }) => what === "a mailbox" || what === "plain");
  return {
    title: "Whole processes",
    how: "`processes.ts`: wall time by hyperfine, the median of the medians of interleaved rounds; 1,000 mailboxes. The C programs (getpw.c, checkpassword.c) do the same with libmariadb and libsqlite3 and a connection of their own, beside `through qmail-sqld` as well. PROFILE.md says where our time goes.",
    table: [
      ["program", "case", "database", "C ms", "ours ms", "ratio", "bar", "C MB", "ours MB"],
      ...pairs.map(({ program, what, name, bar, c, ours, cMB, oursMB }) => [
        program,
        what,
        name,
        c.toFixed(2),
        ours.toFixed(2),
        (ours / c).toFixed(1),
        `${bar}`,
        cMB.toFixed(0),
        oursMB.toFixed(0),
      ]),
      ...(empty
        ? [
            [
              "(empty program, same runtime)",
              "",
              "",
              "",
              empty.ours.toFixed(2),
              "",
              "",
              "",
              empty.oursMB.toFixed(0),
            ],
          ]
        : []),
    ],
    bars: [
      ...pairs.map(
        ({ program, what, name, bar, c, ours }): Bar => ({
          what: `${program}, ${what}, ${name}: time / C program`,
          bar: `at most ${bar}`,
          measured: (ours / c).toFixed(1),
          met: ours / c <= bar,
        }),
      ),
      {
        what: "memory of any of them",
        bar: `at most ${MEMORY} MB`,
        measured: `${Math.max(...pairs.map(({ oursMB }) => oursMB)).toFixed(0)} MB`,
        met: pairs.every(({ oursMB }) => oursMB <= MEMORY),
      },
    ],
    charts: {
      processes: {
        title: "Whole processes: a mailbox looked up, a plain password checked",
        axis: "milliseconds, median",
        series: [
          { name: "C program, own connection", ours: false },
          { name: "ours", ours: true },
        ],
        groups: drawn.map(({ program, name, c, ours }) => ({
          label: `${program}, ${name}`,
          values: [c, ours],
        })),
        format: (value) => value.toFixed(value % 1 === 0 ? 0 : 1),
      },
    },
  };
}

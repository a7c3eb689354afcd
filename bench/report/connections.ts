import { grouped } from "./chart.ts";
import { atLeast, type Lines, type Section } from "./section.ts";

/** A line of connections.ts: a number of clients, or the memory after a number of connections. */
interface Connections {
  readonly at?: number;
  readonly tcpserver?: readonly [number, number];
  readonly withC?: number;
  readonly ours?: number;
  readonly after?: number;
  readonly kB?: number;
}

const BARS: Readonly<Record<number, number>> = { 1: 0.8, 10: 0.6, 40: 0.8 };

export function connections(lines: Lines<Connections>): Section {
  const rates = lines.flatMap(({ at, tcpserver: [before, after] = [0, 0], withC, ours }) =>
    at === undefined ? [] : [{ at, tcpserver: (before + after) / 2, withC: withC ?? 0, ours: ours ?? 0 }],
  );
  const sizes = lines.flatMap(({ kB }) => (kB === undefined ? [] : [kB / 1024]));
  const grown = lines.findLast(({ after }) => after !== undefined)?.after ?? 0;
  const row = (what: string, value: (rate: (typeof rates)[number]) => string) => [what, ...rates.map(value)];
  return {
    title: "Connections",
    how: "`connections.ts`: connections from loopback, each running one program that says a line. ucspi-tcp's tcpserver without rules, the same with a C program that asks MariaDB for each, and tcpserver-sql -S on the same table, which stands between two runs of the first.",
    table: [
      ["connections/s", ...rates.map(({ at }) => `${at} at a time`)],
      row("tcpserver", (rate) => grouped(Math.round(rate.tcpserver))),
      row("tcpserver, the C lookup exec'd", (rate) => grouped(rate.withC)),
      row("tcpserver-sql -S", (rate) => grouped(rate.ours)),
      row("ratio to tcpserver", (rate) => (rate.ours / rate.tcpserver).toFixed(2)),
    ],
    bars: rates.map(({ at, ours, tcpserver }) =>
      atLeast(`connections/s, ${at} at a time: tcpserver-sql -S / tcpserver`, ours, tcpserver, BARS[at] ?? 0),
    ),
    charts: {
      connections: {
        title: "Connections, each running one program",
        axis: "connections per second",
        series: [
          { name: "tcpserver", ours: false },
          { name: "tcpserver, the C lookup exec'd", ours: false },
          { name: "tcpserver-sql -S", ours: true },
        ],
        groups: rates.map(({ at, tcpserver, withC, ours }) => ({
          label: `${at} at a time`,
          values: [tcpserver, withC, ours],
        })),
      },
    },
    note: `Memory of tcpserver-sql over ${grouped(grown)} more connections, a tenth at a time: ${sizes.map((mb) => mb.toFixed(0)).join(" ")} MB.`,
  };
}

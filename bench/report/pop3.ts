import { grouped } from "./chart.ts";
import { atLeast, type Bar, type Lines, type Section } from "./section.ts";

/** A line of pop3.ts: sessions a second, or memory of idle sessions in KB. */
interface Pop3 {
  readonly at?: number;
  readonly tls?: boolean;
  readonly who: string;
  readonly rate?: number;
  readonly p99?: number;
  readonly idle?: number;
  readonly uids?: number;
  readonly after?: number;
  readonly processes?: number;
}

const OURS = "qmail-popd";
const STOCK = "stock, C checkpassword";
const STUNNEL = "stock behind stunnel";
const BARS: readonly (readonly [tls: boolean, peer: string, bar: number])[] = [
  [false, STOCK, 3],
  [false, "Dovecot", 1],
  [true, STUNNEL, 1],
];

export function pop3(lines: Lines<Pop3>): Section {
  const rates = lines.filter(({ at }) => at !== undefined);
  const bars: Bar[] = BARS.flatMap(([tls, peer, bar]) =>
    [1, 10, 50].map((at) => {
      const of = (who: string) =>
        rates.find((line) => line.who === who && line.at === at && line.tls === tls)?.rate;
      const what = `POP3 sessions/s${tls ? ", TLS" : ""}, ${at} at a time: ${OURS} / ${peer}`;
      return atLeast(what, of(OURS), of(peer), bar);
    }),
  );
  return {
    title: "Mail read",
    how: "`pop3.ts`: qmail-popd below tcpserver-sql -m -w 2, which asks qmail-sqld; qmail-popup and qmail-pop3d of notqmail below tcpserver, with the C checkpassword; Dovecot with the login processes of its high-performance mode and mail processes that are used again. One MariaDB, 1,000 mailboxes with three messages of 2,000 bytes, of one uid. `c/popload.c` sends USER, PASS, STAT, LIST, RETR 1 and QUIT, and waits for each reply; TLS with a full handshake for each session, P-256.",
    table: [
      ["", "at a time", "sessions/s", "p99, ms"],
      ...rates.map(({ who, at, tls, rate = 0, p99 = 0 }) => [
        `${who}${tls ? ", TLS" : ""}`,
        String(at),
        grouped(Math.round(rate)),
        p99.toFixed(1),
      ]),
    ],
    bars,
    charts: {},
    note: lines
      .filter(({ idle }) => idle !== undefined)
      .map(
        ({ who, idle = 0, uids = 0, after = 0, processes = 0 }) =>
          `${grouped(idle)} idle sessions of as many mailboxes, ${uids} uids: ${who} ${grouped(Math.round(after / 1024))} MB in ${grouped(processes)} processes.`,
      )
      .join(" "),
  };
}

import { grouped } from "./chart.ts";
import { atLeast, type Bar, distinct, type Lines, type Section } from "./section.ts";

/** A line of smtpd.ts: messages a second, idle sessions, or handshakes. */
interface Smtpd {
  readonly queue?: string;
  readonly at?: number;
  readonly each?: number;
  readonly who?: string;
  readonly rate?: number;
  readonly p99?: number;
  readonly idle?: number;
  readonly kB?: number;
  readonly greeted?: number;
  readonly certificate?: string;
  readonly s_server?: number;
  readonly ours?: number;
}

const BARS: Readonly<Record<number, number>> = { 1: 1.5, 10: 1.0 }; // by messages a connection, with qmail-queue
const HANDSHAKES = 0.7;
const KB = 30;
const GREETED = 50; // milliseconds

export function smtpd(lines: Lines<Smtpd>): Section {
  const rates = lines.filter(({ queue }) => queue !== undefined);
  const cases = distinct(rates.map(({ queue, at, each }) => `${queue}\0${at}\0${each}`)).map((name) => {
    const [queue = "", at = "", each = ""] = name.split("\0");
    const of = (who: string) =>
      rates.find((line) => line.who === who && `${line.queue}\0${line.at}\0${line.each}` === name);
    return { queue, at, each, stock: of("stock"), ours: of("ours") };
  });
  const idle = lines.find((line) => line.idle !== undefined);
  const handshakes = lines.filter(({ certificate }) => certificate !== undefined);
  const bars: Bar[] = cases
    .filter(({ queue }) => queue === "qmail-queue")
    .map(({ at, each, stock, ours }) =>
      atLeast(
        `messages/s, stock qmail-queue, ${at} at a time, ${each} a connection: resident / stock qmail-smtpd`,
        ours?.rate,
        stock?.rate,
        BARS[Number(each)] ?? 1,
      ),
    );
  for (const { certificate, ours = 0, s_server = 0 } of handshakes) {
    bars.push(
      atLeast(`full TLS handshakes/s, ${certificate}: ours / openssl s_server`, ours, s_server, HANDSHAKES),
    );
  }
  if (idle) {
    const { kB = 0, greeted = 0 } = idle;
    bars.push({
      what: `an idle session, of ${grouped(idle.idle ?? 0)}`,
      bar: `at most ${KB} KB, the next one greeted within ${GREETED} ms`,
      measured: `${kB.toFixed(1)} KB, ${greeted.toFixed(1)} ms`,
      met: kB <= KB && greeted <= GREETED,
    });
  }
  return {
    title: "Mail in",
    how: "`smtpd.ts`: qmail-smtpd in the workers of tcpserver-sql -w 0, and the stock one of notqmail below tcpserver; messages of 2,000 bytes from `c/smtpload.c`, which waits for each reply. The queue of the stock qmail-queue is a tmpfs, where fsync takes no time; the other queue program reads and discards. Handshakes: three processes of `openssl s_time -new`, one worker beside one `openssl s_server`.",
    table: [
      [
        "queue program",
        "connections",
        "messages each",
        "stock: messages/s",
        "ours: messages/s",
        "ours / stock",
        "p99 of a session, ms: stock",
        "ours",
      ],
      ...cases.map(({ queue, at, each, stock, ours }) => [
        queue,
        at,
        each,
        grouped(Math.round(stock?.rate ?? 0)),
        grouped(Math.round(ours?.rate ?? 0)),
        ((ours?.rate ?? 0) / (stock?.rate ?? 1)).toFixed(2),
        (stock?.p99 ?? 0).toFixed(1),
        (ours?.p99 ?? 0).toFixed(1),
      ]),
    ],
    bars,
    charts: {
      smtpd: {
        title: "Messages received, one a connection, stock qmail-queue",
        axis: "messages per second",
        series: [
          { name: "stock", ours: false },
          { name: "ours", ours: true },
        ],
        groups: cases
          .filter(({ queue, each }) => queue === "qmail-queue" && each === "1")
          .map(({ at, stock, ours }) => ({ label: `${at} at a time`, values: [stock?.rate, ours?.rate] })),
      },
    },
    note: handshakes
      .map(
        ({ certificate, s_server = 0, ours = 0 }) =>
          `Handshakes/s, ${certificate}: s_server ${grouped(Math.round(s_server))}, ours ${grouped(Math.round(ours))}.`,
      )
      .join(" "),
  };
}

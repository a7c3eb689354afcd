import { type Chart, grouped } from "./chart.ts";
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

const BARS: Readonly<Record<string, number>> = { 1: 1.5, 10: 1.0 }; // by messages a connection, with qmail-queue
const PEERS: Readonly<Record<string, readonly string[]>> = {
  "qmail-queue": ["stock", "Haraka"],
  discard: ["Postfix", "Haraka"],
};
const ALL = ["stock", "ours", "Haraka", "Postfix"];
const HANDSHAKES = 0.7;
const KB = 30;
const GREETED = 50; // milliseconds

/** What was measured with one queue program and load, by who. */
interface Case {
  readonly queue: string;
  readonly at: string;
  readonly each: string;
  readonly of: (who: string) => Smtpd | undefined;
}

function casesOf(lines: Lines<Smtpd>): Case[] {
  const rates = lines.filter(({ queue }) => queue !== undefined);
  return distinct(rates.map(({ queue, at, each }) => `${queue}\0${at}\0${each}`)).map((name) => {
    const [queue = "", at = "", each = ""] = name.split("\0");
    const of = (who: string) =>
      rates.find((line) => line.who === who && `${line.queue}\0${line.at}\0${line.each}` === name);
    return { queue, at, each, of };
  });
}

function barsOf({ queue, at, each, of }: Case): Bar[] {
  const what = `messages/s, ${queue}, ${at} at a time, ${each} a connection: resident`;
  return (PEERS[queue] ?? []).map((peer) => {
    const least = peer === "stock" ? (BARS[each] ?? 1) : 1;
    return atLeast(`${what} / ${peer}`, of("ours")?.rate, of(peer)?.rate, least);
  });
}

function row({ queue, at, each, of }: Case): string[] {
  const rates = ALL.map((who) => of(who)?.rate);
  const cells = rates.map((rate) => (rate === undefined ? "" : grouped(Math.round(rate))));
  const ratio = ((of("ours")?.rate ?? 0) / (of("stock")?.rate ?? 1)).toFixed(2);
  const late = ["stock", "ours"].map((who) => (of(who)?.p99 ?? 0).toFixed(1));
  return [queue, at, each, ...cells, ratio, ...late];
}

function chart(cases: readonly Case[], program: string): Chart {
  const who = ALL.filter((name) => cases.some(({ queue, of }) => queue === program && of(name)));
  return {
    title: `Messages received, one a connection, ${program === "discard" ? "discarded" : "stock qmail-queue"}`,
    axis: "messages per second",
    series: who.map((name) => ({ name, ours: name === "ours" })),
    groups: cases
      .filter(({ queue, each }) => queue === program && each === "1")
      .map(({ at, of }) => ({ label: `${at} at a time`, values: who.map((name) => of(name)?.rate) })),
  };
}

export function smtpd(lines: Lines<Smtpd>): Section {
  const cases = casesOf(lines);
  const idle = lines.find((line) => line.idle !== undefined);
  const handshakes = lines.filter(({ certificate }) => certificate !== undefined);
  const bars: Bar[] = cases.flatMap(barsOf);
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
    how: "`smtpd.ts`: qmail-smtpd in the workers of tcpserver-sql -w 0, and the stock one of notqmail below tcpserver; messages of 2,000 bytes from `c/smtpload.c`, which waits for each reply. The queue of the stock qmail-queue is a tmpfs, where fsync takes no time; the other queue program reads and discards. Haraka has a process for each processor and its own plug-ins qmail-queue and discard; Postfix its queue on a tmpfs, before the transport that discards. Handshakes: three processes of `openssl s_time -new`, one worker beside one `openssl s_server`.",
    table: [
      [
        "queue program",
        "connections",
        "messages each",
        ...ALL.map((who) => `${who}: messages/s`),
        "ours / stock",
        "p99 of a session, ms: stock",
        "ours",
      ],
      ...cases.map(row),
    ],
    bars,
    charts: { smtpd: chart(cases, "qmail-queue"), "smtpd-discard": chart(cases, "discard") },
    note: handshakes
      .map(
        ({ certificate, s_server = 0, ours = 0 }) =>
          `Handshakes/s, ${certificate}: s_server ${grouped(Math.round(s_server))}, ours ${grouped(Math.round(ours))}.`,
      )
      .join(" "),
  };
}

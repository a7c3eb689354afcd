// Logins per second with plain passwords: resident daemons asked over their sockets, on one MariaDB table, and
// checkpassword executed for each login, compared with the C program.
import { join } from "node:path";
import { BIN } from "../../test/lib/program.ts";
import { startSqld } from "../../test/lib/sqld.ts";
import { load, roundOf, TOOLS, turns } from "../lib/load.ts";
import { startAuthdaemond, startDovecotAuth } from "../lib/peers.ts";
import { emit, say } from "../lib/results.ts";
import { MAILBOXES, PASSWORD, startMail } from "../lib/worlds.ts";

const SECONDS = roundOf(2);
const CLIENTS = [1, 50];
const CACHE = 16; // megabytes: what qmail-sqld takes

interface Daemon {
  readonly what: string;
  readonly protocol: string;
  readonly socket: string;
  readonly cached: boolean;
  /** Each login has a connection of its own. */
  readonly each: boolean;
}

const mail = await startMail();
const table = { socket: mail.server.socket, user: "qmail", password: "secret", name: "qmail" };
const peers = await Promise.all([
  startDovecotAuth(table, 0),
  startDovecotAuth(table, CACHE),
  startAuthdaemond(table),
]);
try {
  const [own, shared, asking] = [mail.site(), mail.site(), mail.site()];
  const sqlds = [startSqld(asking, "login_ttl 0\n"), startSqld(shared)];
  const [dovecot, dovecotCached, courier] = peers.map(({ socket }) => socket);
  const [sqld, sqldCached] = sqlds.map(({ socket }) => socket);
  const daemon = (what: string, protocol: string, socket = "", cached = false, each = false): Daemon => ({
    ...{ what, protocol, socket, cached, each },
  });
  const daemons = [
    daemon("qmail-sqld", "sqld", sqld),
    daemon("qmail-sqld", "sqld", sqld, false, true),
    daemon("Dovecot auth", "dovecot", dovecot),
    daemon("Courier authdaemond", "courier", courier, false, true),
    daemon("qmail-sqld", "sqld", sqldCached, true),
    daemon("qmail-sqld", "sqld", sqldCached, true, true),
    daemon("Dovecot auth", "dovecot", dovecotCached, true),
  ];
  daemons.forEach(refuses);
  for (const one of daemons) login(one, 10, 0.5); // its processes and its cache
  const queries = daemons.map((one) => statements(() => login(one, CLIENTS[1] ?? 0, 0.2)));
  for (const at of CLIENTS) {
    turns(daemons, (one) => login(one, at, SECONDS)).forEach(
      ({ what, cached, each, rate, median, p99 }, i) => {
        emit({ how: "socket", what, cached, each, at, rate, median, p99, queries: queries[i] ?? 0 });
        report(`${what}${each ? ", a connection each" : ""}${cached ? ", cached" : ""}`, at, rate, p99);
      },
    );
  }
  const ours = join(BIN, "checkpassword");
  const programs = [
    { what: "C, own connection", program: join(TOOLS, "checkpassword-mariadb"), env: own.env },
    { what: "ours, own connection", program: ours, env: own.env },
    { what: "ours, through qmail-sqld", program: ours, env: shared.env },
  ];
  for (const at of CLIENTS) {
    const exec = ({ program, env }: (typeof programs)[number]) =>
      load("execload", [at, SECONDS, MAILBOXES, PASSWORD, program, join(TOOLS, "fd3")], env);
    for (const { what, rate, median, p99 } of turns(programs, exec)) {
      emit({ how: "exec", what, at, rate, median, p99 });
      report(`checkpassword exec'd: ${what}`, at, rate, p99);
    }
  }
} finally {
  for (const peer of peers) await peer.stop();
  await mail.stop();
}

function login({ protocol, socket, each }: Daemon, clients: number, seconds: number, password = PASSWORD) {
  const how = each ? ["-1"] : [];
  return load("askload", [...how, protocol, socket, clients, seconds, "user", MAILBOXES, password]);
}

/** Number of statements to MariaDB per login. */
function statements(logins: () => { readonly done: number }): number {
  const count = () => Number(mail.server.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split("\t")[1]);
  const before = count();
  const { done } = logins();
  return (count() - before - 1) / done; // one was to find out
}

/** Verifies that a daemon refuses a wrong password, since one that accepts all would be the fastest. */
function refuses(one: Daemon): void {
  try {
    login(one, 1, 0.1, "wrong horse");
  } catch {
    return;
  }
  throw new Error(`${one.what} accepts a wrong password`);
}

function report(what: string, at: number, rate: number, p99: number): void {
  say(`${what.padEnd(52)} ${`${at}`.padStart(3)} at a time ${`${rate}`.padStart(7)}/s  p99 ${p99} ms`);
}

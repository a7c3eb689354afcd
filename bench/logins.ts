// Logins a second, plain passwords: verdicts of resident daemons over their sockets, on one MariaDB table, and
// checkpassword exec'd for each login beside the C program.
import { join } from "node:path";
import { BIN } from "../test/lib/program.ts";
import { startSqld } from "../test/lib/sqld.ts";
import { load, TOOLS } from "./load.ts";
import { type Peer, startAuthdaemond, startDovecotAuth } from "./peers.ts";
import { emit, say } from "./results.ts";
import { MAILBOXES, PASSWORD, startMail } from "./worlds.ts";

const SECONDS = Number(process.env.SECONDS ?? 2);
const CLIENTS = [1, 50];
const CACHE = 16; // megabytes: what qmail-sqld takes
const mail = await startMail();
const table = { socket: mail.server.socket, user: "qmail", password: "secret", name: "qmail" };

const asked = () => Number(mail.server.sql("SHOW GLOBAL STATUS LIKE 'Questions'").split("\t")[1]);

/** One daemon's verdicts; `each`: a connection for each login. */
function verdicts(what: string, cached: boolean, each: boolean, protocol: string, socket: string): void {
  const login = (password: string, clients: number, seconds: number) =>
    load("askload", [
      ...(each ? ["-1"] : []),
      protocol,
      socket,
      clients,
      seconds,
      "user",
      MAILBOXES,
      password,
    ]);
  login(PASSWORD, 10, 0.5); // its processes and its cache
  for (const at of CLIENTS) {
    const before = asked();
    const { rate, median, p99, done } = login(PASSWORD, at, SECONDS);
    const queries = (asked() - before - 1) / done; // one was to find out
    emit({ how: "socket", what, cached, each, at, rate, median, p99, queries });
    report(`${what}${each ? ", a connection each" : ""}${cached ? ", cached" : ""}`, at, rate, p99);
  }
}

function report(what: string, at: number, rate: number, p99: number): void {
  say(`${what.padEnd(52)} ${`${at}`.padStart(3)} at a time ${`${rate}`.padStart(7)}/s  p99 ${p99} ms`);
}

/** A daemon that accepts everything would be the fastest of all. */
function refuses(protocol: string, socket: string): void {
  try {
    load("askload", [protocol, socket, 1, 0.1, "user", MAILBOXES, "wrong horse"]);
  } catch {
    return;
  }
  throw new Error(`${protocol} accepts a wrong password`);
}

async function peer(
  what: string,
  start: Promise<Peer>,
  cached: boolean,
  each: boolean,
  protocol: string,
): Promise<void> {
  const { socket, stop } = await start;
  try {
    verdicts(what, cached, each, protocol, socket);
    refuses(protocol, socket);
  } finally {
    await stop();
  }
}

try {
  for (const cached of [false, true]) {
    const { socket, stop } = startSqld(mail.site(), cached ? "" : "login_ttl 0\n");
    for (const each of [false, true]) verdicts("qmail-sqld", cached, each, "sqld", socket);
    refuses("sqld", socket);
    await stop();
    await peer("Dovecot auth", startDovecotAuth(table, cached ? CACHE : 0), cached, false, "dovecot");
  }
  await peer("Courier authdaemond", startAuthdaemond(table), false, true, "courier");

  const [own, shared] = [mail.site(), mail.site()];
  startSqld(shared);
  const ours = join(BIN, "checkpassword");
  for (const [what, program, env] of [
    ["C, own connection", join(TOOLS, "checkpassword-mariadb"), own.env],
    ["ours, own connection", ours, own.env],
    ["ours, through qmail-sqld", ours, shared.env],
  ] as const) {
    for (const at of CLIENTS) {
      const args = [at, SECONDS, MAILBOXES, PASSWORD, program, join(TOOLS, "fd3")];
      const { rate, median, p99 } = load("execload", args, env);
      emit({ how: "exec", what, at, rate, median, p99 });
      report(`checkpassword exec'd: ${what}`, at, rate, p99);
    }
  }
} finally {
  await mail.stop();
}

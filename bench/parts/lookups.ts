// Lookups: qmail-getpw executed for each, compared with the C program, and questions to qmail-sqld over its socket.
import { join } from "node:path";
import { BIN } from "../../test/lib/program.ts";
import { startSqld } from "../../test/lib/sqld.ts";
import { load, roundOf, TOOLS, turns } from "../lib/load.ts";
import { emit, say } from "../lib/results.ts";
import { MAILBOXES, startMail } from "../lib/worlds.ts";

const SECONDS = roundOf(2);
const HOST = "h.example";
const mail = await startMail();
try {
  const [own, shared, asking] = [mail.site(), mail.site(), mail.site()];
  for (const world of [shared, asking]) {
    for (const file of ["me", "rcpthosts"]) world.control(file, `${HOST}\n`);
  }
  const kept = startSqld(shared);
  const sqld = startSqld(asking, "ttl 0\n");
  const ours = join(BIN, "qmail-getpw");
  const exec = (program: string, env: Readonly<Record<string, string>>) => (at: number) =>
    load("execload", [at, SECONDS, MAILBOXES, "", program], env);
  const ask = (socket: string) => (at: number) =>
    load("askload", ["lookup", socket, at, SECONDS, "user", MAILBOXES, ""]);
  const judge = (socket: string) => (at: number) =>
    load("askload", ["verdict", socket, at, SECONDS, "user", MAILBOXES, HOST]);
  const ways = [
    { how: "exec", what: "C, own connection", ask: exec(join(TOOLS, "getpw-mariadb"), own.env) },
    { how: "exec", what: "ours, own connection", ask: exec(ours, own.env) },
    { how: "exec", what: "ours, through qmail-sqld", ask: exec(ours, shared.env) },
    { how: "socket", what: "qmail-sqld, answers kept", ask: ask(kept.socket) },
    { how: "socket", what: "qmail-sqld, each asked of MariaDB", ask: ask(sqld.socket) },
    { how: "socket", what: "recipients: qmail-sqld, verdicts kept", ask: judge(kept.socket) },
    { how: "socket", what: "recipients: qmail-sqld, each asked of MariaDB", ask: judge(sqld.socket) },
  ];
  for (const at of [1, 20]) {
    for (const { how, what, rate, median, p99 } of turns(ways, (way) => way.ask(at))) {
      emit({ how, what, at, rate, median, p99 });
      say(`${how.padEnd(7)} ${what.padEnd(46)} ${at} at a time ${`${rate}`.padStart(7)}/s  p99 ${p99} ms`);
    }
  }
} finally {
  await mail.stop();
}

// Lookups: qmail-getpw exec'd for each, beside the C program, and questions to qmail-sqld over its socket.
import { join } from "node:path";
import { BIN } from "../test/lib/program.ts";
import { startSqld } from "../test/lib/sqld.ts";
import { load, TOOLS } from "./load.ts";
import { emit, say } from "./results.ts";
import { MAILBOXES, startMail } from "./worlds.ts";

const SECONDS = Number(process.env.SECONDS ?? 2);
const mail = await startMail();
try {
  const [own, shared, asking] = [mail.site(), mail.site(), mail.site()];
  startSqld(shared);
  const sqld = startSqld(asking, "ttl 0\n");
  const ours = join(BIN, "qmail-getpw");
  const exec = (program: string, env: Readonly<Record<string, string>>) => (at: number) =>
    load("execload", [at, SECONDS, MAILBOXES, "", program], env);
  const ask = (socket: string) => (at: number) =>
    load("askload", ["lookup", socket, at, SECONDS, "user", MAILBOXES, ""]);
  const kept = join(shared.home, "../sqld/socket");
  for (const [how, what, measure] of [
    ["exec", "C, own connection", exec(join(TOOLS, "getpw-mariadb"), own.env)],
    ["exec", "ours, own connection", exec(ours, own.env)],
    ["exec", "ours, through qmail-sqld", exec(ours, shared.env)],
    ["socket", "qmail-sqld, answers kept", ask(kept)],
    ["socket", "qmail-sqld, each asked of MariaDB", ask(sqld.socket)],
  ] as const) {
    for (const at of [1, 20]) {
      const { rate, median, p99 } = measure(at);
      emit({ how, what, at, rate, median, p99 });
      say(
        `${how.padEnd(7)} ${what.padEnd(36)} ${`${at}`.padStart(3)} at a time ${`${rate}`.padStart(7)}/s  p99 ${p99} ms`,
      );
    }
  }
} finally {
  await mail.stop();
}

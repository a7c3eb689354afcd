// The time of lookups through qmail-sqld under other load: bcrypt logins, also together with as many processes that
// only compute; and a hostile client with 500 connections.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { startSqld } from "../../test/lib/sqld.ts";
import { beside, load, roundOf, TOOLS, turns } from "../lib/load.ts";
import { emit, say } from "../lib/results.ts";
import { BCRYPTED, MAILBOXES, PASSWORD, startMail } from "../lib/worlds.ts";

const SECONDS = roundOf(3);
const [CLIENTS, RATE] = [10, 500];
const HASHERS = Math.max(1, availableParallelism() - 1); // qmail-sqld(8): hashers
const LONG = 60; // seconds; the other load ends with the measurement
const mail = await startMail();
try {
  for (const kept of [true, false]) {
    const { socket, stop } = startSqld(mail.site(), kept ? "" : "ttl 0\n");
    const askload = join(TOOLS, "askload");
    const logins = [askload, "sqld", socket, BCRYPTED, LONG, "bcrypt", BCRYPTED, PASSWORD];
    const computing = ["nice", "-n", "10", "/bin/sh", "-c", "while :; do :; done"];
    const cases = [
      { what: "nothing else", others: [] },
      { what: `${BCRYPTED} bcrypt logins at a time`, others: [logins] },
      {
        what: "as much computing elsewhere, as nice as the hashers",
        others: Array<typeof computing>(HASHERS).fill(computing),
      },
      { what: "a hostile client, 500 connections", others: [[join(TOOLS, "hostile"), socket, 500, LONG]] },
    ];
    const lookups = ["-r", RATE, "lookup", socket, CLIENTS, SECONDS, "user", MAILBOXES, ""];
    for (const { what, median, p99, max } of turns(cases, ({ others }) =>
      beside(others, () => load("askload", lookups)),
    )) {
      emit({ kept, beside: what, median, p99, max });
      say(`${kept ? "kept " : "asked"} ${what.padEnd(56)} median ${median}  p99 ${p99}  max ${max} ms`);
    }
    await stop();
  }
} finally {
  await mail.stop();
}

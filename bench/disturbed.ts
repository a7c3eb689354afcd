// How long honest lookups through qmail-sqld take while something else goes on: bcrypt logins, and beside them as
// many processes that merely compute; and a hostile client with 500 connections.
import { join } from "node:path";
import { startSqld } from "../test/lib/sqld.ts";
import { beside, load, TOOLS } from "./load.ts";
import { emit, say } from "./results.ts";
import { BCRYPTED, MAILBOXES, PASSWORD, startMail } from "./worlds.ts";

const SECONDS = Number(process.env.SECONDS ?? 4);
const ROUNDS = 3;
const [CLIENTS, RATE] = [10, 500];
const HASHERS = 2; // qmail-sqld(8): hashers
const LONG = 60; // seconds; whoever disturbs ends with the measurement
const mail = await startMail();
try {
  for (const kept of [true, false]) {
    const { socket, stop } = startSqld(mail.site(), kept ? "" : "ttl 0\n");
    const askload = join(TOOLS, "askload");
    const logins = [askload, "sqld", socket, BCRYPTED, LONG, "bcrypt", BCRYPTED, PASSWORD];
    const computing = ["nice", "-n", "10", "/bin/sh", "-c", "while :; do :; done"];
    const cases = [
      ["nothing else", []],
      [`${BCRYPTED} bcrypt logins at a time`, [logins]],
      [`${HASHERS} processes that only compute, as nice as the hashers`, Array(HASHERS).fill(computing)],
      ["a hostile client, 500 connections", [[join(TOOLS, "hostile"), socket, 500, LONG]]],
    ] as const;
    for (let round = 0; round < ROUNDS; round++) {
      for (const [beside_, others] of cases) {
        const found = beside(others, () =>
          load("askload", ["-r", RATE, "lookup", socket, CLIENTS, SECONDS / ROUNDS, "user", MAILBOXES, ""]),
        );
        emit({
          kept,
          beside: beside_,
          rate: found.rate,
          median: found.median,
          p99: found.p99,
          max: found.max,
        });
        say(
          `${kept ? "kept " : "asked"} ${beside_.padEnd(56)} median ${found.median}  p99 ${found.p99}  max ${found.max} ms`,
        );
      }
    }
    await stop();
  }
} finally {
  await mail.stop();
}

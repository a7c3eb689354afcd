import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Crashed, crash } from "../lib/crash.ts";
import { type Findings, judge } from "../lib/crash-judge.ts";
import { FIRST_UID, makeUsers, putDotQmail, userRows } from "../lib/crash-users.ts";
import { overOwn } from "../lib/databases.ts";
import { makeQueue, spawnLspawn } from "../lib/lspawn.ts";
import { type MariaDb, startMariaDb } from "../lib/mariadb.ts";
import { processesWith } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// CRASH_POINTS=500 is the full test. CRASH_SEED repeats a run's choices, though not its timing.
const POINTS = Number(process.env.CRASH_POINTS ?? 36);
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const LIMIT = POINTS * 3000 + 60_000;
const STOCK = process.env.STOCK_QMAIL;

function tell(who: string, { deliveries, kills, lingered }: Crashed, found: Findings): void {
  const killed = Object.entries(kills).map(([victim, n]) => `${n} ${victim}`);
  console.log(
    `crash, seed ${SEED}: ${who}: killed ${killed.sort().join(", ")}; ${deliveries.length} deliveries; cut short ` +
      `${found.unreported} unreported, ${found.crashed} crashed; ${found.doubled.length} doubled; ` +
      `workers outlived qmail-lspawn by ${lingered} ms at most`,
  );
  if (process.env.CRASH_POINTS) for (const line of found.doubled) console.log(`doubled, ${who}: ${line}`);
}

describe.skipIf(!isRoot)("kill -9 at random moments of running deliveries", () => {
  const world = makeWorld();
  let mariadb: MariaDb;
  beforeAll(async () => {
    mariadb = await startMariaDb();
  });
  afterAll(async () => {
    world.remove();
    await mariadb.stop();
  });

  test(
    `${POINTS} times: nothing is lost, and doubled only what was in place and not yet reported`,
    async () => {
      const homes = makeUsers(world);
      mariadb.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1"); // the rows are to outlive it
      overOwn(mariadb).prepare(world, "timeout 2\n").sql(userRows(homes));
      world.control("lspawn-settings", "workers 12\nidle 2\n"); // fewer than users: they take turns
      makeQueue(world);
      const settings = "ttl 0\nnegative_ttl 0\nstale 0\n"; // every delivery needs the database
      let sqld = startSqld(world, settings);
      const spawn = () => spawnLspawn(world, [join(BIN, "qmail-lspawn"), "./Maildir/"]);
      const done = await crash(world, POINTS, SEED, spawn, {
        "qmail-sqld": async () => {
          await sqld.stop("SIGKILL");
          await sleep(50);
          sqld = startSqld(world, settings);
        },
        database: async () => {
          await mariadb.crash();
          await sleep(100);
          await mariadb.restart();
        },
      });
      await sqld.stop();
      const found = judge(done.deliveries, homes, done.killed, true);
      tell("ours", done, found);
      expect(found.wrong).toEqual([]);
      expect(found.unreported + found.crashed).toBeGreaterThan(0);
      expect(processesWith(`QMAIL_HOME=${world.home}`)).toEqual([]);
    },
    LIMIT,
  );
});

describe.skipIf(!isRoot || !STOCK)("the same kills of a stock qmail-lspawn and qmail-local", () => {
  const world = makeWorld();
  afterAll(() => world.remove());

  test(
    `${POINTS} times: it doubles, too`,
    async () => {
      const homes = makeUsers(world);
      rmSync(world.home, { recursive: true });
      execFileSync("cp", ["-a", STOCK ?? "", world.home]);
      rmSync(join(world.home, "queue/mess"), { recursive: true });
      mkdirSync(join(world.home, "queue/mess/0"), { recursive: true });
      const record = (key: string, data: string) => `+${key.length},${data.length}:${key}->${data}\n`;
      const records = homes.map((home, i) => {
        const uid = FIRST_UID + i;
        putDotQmail(home, uid, "sales", "./Sales/\n");
        const data = (dash: string) => [`u${i}`, uid, uid, home, dash, ""].join("\0");
        return record(`!u${i}\0`, data("")) + record(`!u${i}-`, data("-"));
      });
      execFileSync("cdb", ["-c", join(world.home, "users/cdb")], {
        input: `${records.join("")}${record("", "-")}\n`,
      });
      // Its programs know no other place than the one they were built for.
      const there = 'mount --bind "$1" "$2" && exec "$2/bin/qmail-lspawn" ./Maildir/';
      const command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", there, "sh", world.home];
      const done = await crash(world, POINTS, SEED, () => spawnLspawn(world, [...command, STOCK ?? ""]), {});
      const found = judge(done.deliveries, homes, done.killed, false);
      tell("stock", done, found);
      expect(found.wrong).toEqual([]);
      expect(found.doubled.length).toBeGreaterThan(0);
    },
    LIMIT,
  );
});

// Deliveries to random mailboxes of 1,000 and of 1,000,000, through qmail-sqld, in interleaved rounds. All have the same
// home and uid: only the table grows. Once with qmail-sqld's default cache, once without a cache.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeQueue } from "../../test/lib/lspawn.ts";
import { sqlFile, startMariaDb } from "../../test/lib/mariadb.ts";
import { BIN } from "../../test/lib/program.ts";
import { startSqld } from "../../test/lib/sqld.ts";
import { makeWorld } from "../../test/lib/world.ts";
import { TOOLS } from "../lib/load.ts";
import { emit, say } from "../lib/results.ts";

const N = Number(process.env.N ?? 2000);
const ROUNDS = 5;
const AT = 20;
const UID = 64801;
const MESSAGE = `From: a@example.org\nSubject: hello\n\n${"x".repeat(3000)}\n`;
const server = await startMariaDb();
const worlds = [1000, 1_000_000].map((mailboxes) => ({ mailboxes, world: makeWorld() }));
try {
  const home = worlds[0]?.world.user("user", UID) ?? "";
  const mails = join(home, "Maildir/new");
  for (const { mailboxes, world } of worlds) {
    const db = `m${mailboxes}`;
    server.sql(
      `CREATE DATABASE ${db}; CREATE USER ${db}@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON ${db}.* TO ${db}@localhost`,
    );
    server.sql(
      `${sqlFile("mysql/schema.sql")};
       INSERT INTO mailbox SELECT CONCAT('u', seq), ${UID}, ${UID}, '${home}', '', 'Password', 'N' FROM seq_0_to_${mailboxes - 1}`,
      db,
    );
    world.control("sqlserver", `server ${server.socket}\nlogin ${db}\npassword secret\ndb ${db}\n`);
    makeQueue(world, MESSAGE);
  }
  const megabytes = (what: string) => Math.round(Number(server.sql(`SELECT (${what}) / 1048576`)));
  const table =
    "SELECT data_length FROM information_schema.tables WHERE table_name = 'mailbox' ORDER BY 1 DESC LIMIT 1";
  emit({ tableMB: megabytes(table), poolMB: megabytes("@@innodb_buffer_pool_size") });
  for (const cache of [true, false]) {
    const running = worlds.map(({ world }) => startSqld(world, cache ? "" : "cache 0\nttl 0\n"));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { mailboxes, world } of worlds) {
        const args = ["-r", N, N, AT, mailboxes, join(BIN, "qmail-lspawn"), "./Maildir/"].map(String);
        const driver = spawnSync(join(TOOLS, "spawn-driver"), args, {
          env: { ...world.env },
          encoding: "utf8",
        });
        const rate = driver.status === 0 ? Number(driver.stdout.split(" ")[0]) : null;
        if (rate === null) process.exitCode = 1;
        for (const mail of readdirSync(mails)) rmSync(join(mails, mail));
        emit({ mailboxes, cache, rate, n: N, at: AT });
        const found = rate === null ? driver.stderr.trim() : `${rate}/s`;
        say(`${`${mailboxes}`.padStart(8)} mailboxes, ${cache ? "cache" : "no cache"} ${found}`);
      }
    }
    for (const sqld of running) await sqld.stop();
  }
} finally {
  for (const { world } of worlds) world.remove();
  await server.stop();
}

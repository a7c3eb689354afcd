// Deliveries per second through the spawn protocol, to one user and to 200, on two file systems whose waits cost 0, 2 and
// 8 ms more: a stock qmail-lspawn with its users in /etc/passwd and with the C lookup in MariaDB (STOCK_QMAIL names its
// home), and ours, in interleaved rounds. PLACES (0 and 1), DELAYS, UIDS, AT: lists that choose some of the
// cases.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { startMariaDb } from "../../test/lib/mariadb.ts";
import { makeSite, type Site, type Spawner, USERS } from "../lib/deliveries.ts";
import { median } from "../lib/measure.ts";
import { type Place, places } from "../lib/places.ts";
import { emit, say } from "../lib/results.ts";

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 0.8);
const list = (name: string, unless: readonly number[]) => process.env[name]?.split(" ").map(Number) ?? unless;
const CASES = list("DELAYS", [0, 2, 8]).flatMap((ms) =>
  list("UIDS", [1, USERS]).flatMap((users) => list("AT", [1, 20, 100]).map((at) => ({ ms, users, at }))),
);
type Case = (typeof CASES)[number];

const SYSCALLS = ["fsync", "fdatasync", "syncfs", "sync", "sync_file_range", "msync", "io_uring_enter"];

const database = await startMariaDb();
const all = places();
try {
  for (const [i, place] of all.entries()) if (list("PLACES", [0, 1]).includes(i)) measure(place);
} finally {
  for (const place of all) place.remove();
  await database.stop();
}

function measure(place: Place): void {
  const site = makeSite(place, database);
  try {
    const stock = site.stock();
    if (stock.length === 0) say("deliveries: STOCK_QMAIL is not set: nothing to compare with");
    const always = [...stock, site.ours("ours", "workers 250\n")];
    const fast = [site.ours("ours, without qmail-sqld", "workers 250\n", "MariaDB")];
    const crowded = [site.ours("ours, 120 workers", "workers 120\n")];
    for (const spawner of always) countsAll(site, place, spawner);
    for (const one of CASES) {
      const more = one.ms > 0 ? [] : one.users > 120 ? [...fast, ...crowded] : fast;
      turns(site, place, one, [...always, ...more]);
    }
  } finally {
    site.remove();
  }
}

/** Interleaved, so that variations of the machine affect each equally; medians. A case that failed has no rate. */
function turns(site: Site, { fileSystem }: Place, one: Case, spawners: readonly Spawner[]): void {
  const rounds = spawners.map((): ReturnType<Site["deliver"]>[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    spawners.forEach((spawner, i) => {
      try {
        rounds[i]?.push(site.deliver(spawner, { ...one, seconds: SECONDS }));
      } catch (error) {
        process.exitCode = 1;
        say(`failed: ${(error as Error).message}`);
      }
    });
  }
  spawners.forEach(({ what }, i) => {
    const done = rounds[i] ?? [];
    const of = (key: "rate" | "first" | "waits") =>
      done.length === ROUNDS ? median(done.map((each) => each[key])) : null;
    const [rate, first, waits] = [of("rate"), of("first"), of("waits")];
    emit({ fileSystem, ...one, what, rate, first, waits, rates: done.map((each) => each.rate) });
    const where = `${fileSystem}, ${one.ms} ms more, ${one.users} uids, ${one.at} at a time`;
    say(
      `${where.padEnd(62)} ${what.padEnd(28)} ${rate?.toFixed(0).padStart(6)}/s  ${waits?.toFixed(2)} waits each`,
    );
  });
}

/** Throws unless slow-fsync.so delays every wait for the disk that the kernel counts. */
function countsAll(site: Site, { fileSystem }: Place, spawner: Spawner): void {
  const { words, env, calls } = site.command(spawner, { ms: 0, at: 5, users: 1, seconds: 0 });
  const at = words.indexOf(spawner.program);
  const strace = [
    "/usr/bin/strace",
    "-f",
    "-qq",
    "-c",
    "-e",
    `trace=${SYSCALLS}`,
    "-o",
    `${site.dir}/strace`,
  ];
  const [program = "", ...args] = [...words.slice(0, at), ...strace, ...words.slice(at)];
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${spawner.what}, under strace: ${stderr}`);
  const table = readFileSync(`${site.dir}/strace`, "utf8");
  // strace -c: % time, seconds, usecs/call, calls, errors if there were any, syscall.
  const seen = table
    .split("\n")
    .map((line) => line.trim().split(/ +/))
    .filter((cells) => SYSCALLS.includes(cells.at(-1) ?? ""))
    .reduce((sum, cells) => sum + Number(cells[3]), 0);
  const deliveries = Number(stdout.split(" ")[2]);
  emit({ fileSystem, what: spawner.what, deliveries, seen, counted: calls() });
  say(
    `${spawner.what}: ${deliveries} deliveries, ${seen} waits for the disk seen by strace, ${calls()} by slow-fsync.so`,
  );
  if (seen !== calls()) throw new Error(`${spawner.what}: some of its waits for the disk are not delayed`);
}

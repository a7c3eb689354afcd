import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Galera, type GaleraNode, startGalera } from "../lib/galera.ts";
import { makeQueue, putMessage, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { sqlFile } from "../lib/mariadb.ts";
import { run, visible } from "../lib/program.ts";
import { ask, figure, type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// With GALERA_SECONDS=60 the sequence is repeated until the time is over; the suite runs a short one.
const SECONDS = Number(process.env.GALERA_SECONDS ?? 0);
const LOOKUPS = 200; // a second
const DELIVERIES = 20;
const PROCESSES = 4;
const WINDOW = 2000; // milliseconds: trouble later than this after a misfortune is a failure, and so is waiting longer
const SLOW = 250; // what takes longer has felt the misfortune
const KNOWN = 1000;
const USERS = 20;
const UID = 64800;
const SETTLED = 2000; // milliseconds after which a new row has to be found everywhere
const DATABASE = "qmail";
const NAMES = ["first", "second, in use", "third"];
// Nothing is kept: each question has to reach a server.
const KEEP_NOTHING = "ttl 0\nnegative_ttl 0\nstale 0\nlogin_ttl 0\n";

interface Misfortune {
  readonly what: string;
  readonly at: number;
  /** Milliseconds after which the last answer came that was trouble, or slow; 0 if none was. */
  window: number;
  troubles: number;
  /** Milliseconds. */
  slowest: number;
}

const now = () => performance.now();
const pick = <T>(list: readonly T[], i: number) => list[i % list.length] as T;

describe.skipIf(!isRoot)("a Galera cluster of three", () => {
  const world = makeWorld();
  const homes = Array.from({ length: USERS }, (_, i) => world.user(`d${i}`, UID + i));
  let galera: Galera;
  let sqld: RunningSqld;
  let lspawn: RunningLspawn;

  beforeAll(async () => {
    const rows = [
      ...Array.from(
        { length: KNOWN },
        (_, i) => `('u${i}', ${5000 + i}, ${6000 + i}, '/home/u${i}', 'pw${i}')`,
      ),
      ...homes.map((home, i) => `('d${i}', ${UID + i}, ${UID + i}, '${home}', '')`),
    ];
    const virtual = Array.from({ length: KNOWN }, (_, i) => `('u${i}', 'e${i}', 'v${i}', 'virtual.com')`);
    galera = await startGalera(
      `${sqlFile("mysql/schema.sql")}
      CREATE USER qmail@'%' IDENTIFIED BY 'sql secret'; GRANT SELECT ON *.* TO qmail@'%';
      INSERT INTO mailbox (username, uid, gid, home, password) VALUES ${rows.join()};
      INSERT INTO \`virtual\` VALUES ${virtual.join()};`,
      DATABASE,
    );
    const servers = galera.nodes.map(({ name }) => name).join(", ");
    world.control("sqlserver", `server ${servers}\nlogin qmail\npassword sql secret\ndb ${DATABASE}\n`);
    sqld = startSqld(world, KEEP_NOTHING);
    makeQueue(world);
    lspawn = startLspawn(world);
  }, 180_000);
  afterAll(async () => {
    await lspawn?.end();
    await sqld?.stop();
    await galera?.stop();
    world.remove();
  });

  test(
    "loses nothing, doubles nothing, says nothing wrong, whatever befalls one node at a time",
    async () => {
      const misfortunes: Misfortune[] = [];
      const wrong: string[] = [];
      const counts = { lookups: 0, processes: 0, deliveries: 0, again: 0, added: 0, troubles: 0 };
      const note = (asked: number, isTrouble: boolean, what: string) => {
        const ms = now() - asked;
        const last = misfortunes.findLast(({ at }) => at <= now());
        if (isTrouble) counts.troubles++;
        const since = now() - (last?.at ?? Number.NEGATIVE_INFINITY);
        if (last && since < 2 * WINDOW) {
          last.slowest = Math.max(last.slowest, Math.round(ms));
          if (isTrouble || ms > SLOW) last.window = Math.max(last.window, Math.round(since));
          if (isTrouble) last.troubles++;
        }
        if (isTrouble && since > WINDOW)
          wrong.push(`trouble ${Math.round(since)} ms after ${last?.what}: ${what}`);
        if (ms > WINDOW) wrong.push(`${Math.round(ms)} ms, ${last?.what}: ${what}`);
      };

      const fresh: { name: string; at: number }[] = [];
      const questions: ((i: number) => [string[], string])[] = [
        (i) => [["findMailboxes", `u${i}`], `Fu${i}|${5000 + i}|${6000 + i}|/home/u${i}|N|`],
        (i) => [["findMailboxes", `nobody${i}`], "N"],
        (i) => [["findVirtual", "virtual.com", `v${i}`, ""], `Fu${i}|e${i}|v${i}|virtual.com|`],
        (i) => [
          ["authenticate", `u${i}`, `pw${i}`, ""],
          `Faccepted|u${i}|${5000 + i}|${6000 + i}|/home/u${i}|/bin/sh|`,
        ],
        (i) => [["authenticate", `u${i}`, "wrong", ""], "Frefused|wrong password|"],
        (i) => {
          const old = fresh.filter(({ at }) => now() - at > SETTLED);
          if (old.length === 0) return [["findMailboxes", `nobody-yet${i}`], "N"];
          const { name } = pick(old.slice(-20), i);
          return [["findMailboxes", name], `F${name}|7000|7000|/home/${name}|N|`];
        },
      ];
      const lookup = async (i: number) => {
        const [fields, expected] = pick(questions, i)(i % KNOWN);
        const asked = now();
        const answer = await ask(sqld.socket, ...fields);
        counts.lookups++;
        note(asked, answer.startsWith("T"), answer);
        if (answer !== expected && !answer.startsWith("T")) wrong.push(`${fields}: ${answer}`);
      };

      const process = async (i: number) => {
        const n = i % USERS;
        const asked = now();
        const { code, stdout } = await run("qmail-getpw", [`d${n}-Ext`], { env: world.env });
        counts.processes++;
        note(asked, code === 118, "qmail-getpw");
        const right = `d${n}|${UID + n}|${UID + n}|${homes[n]}|-|Ext|`;
        if (code !== 118 && (code !== 0 || visible(stdout) !== right))
          wrong.push(`qmail-getpw ${code} ${stdout}`);
      };

      // As qmail-send does: a number for each delivery, and a deferred one is requested again.
      const numbers = Array.from({ length: 100 }, (_, i) => i);
      const delivery = async (i: number) => {
        const messid = `0/${100 + i}`;
        putMessage(world, messid, `Subject: test\n\nmessage ${i}\n`);
        for (;;) {
          const delnum = numbers.shift();
          if (delnum !== undefined) {
            const asked = now();
            const report = await lspawn.deliver(`d${i % USERS}@host.example`, { messid, delnum });
            numbers.push(delnum);
            note(asked, report.startsWith("Z"), report);
            if (report.startsWith("K")) break;
            if (!report.startsWith("Z")) return void wrong.push(`message ${i}: ${report}`);
            counts.again++;
          }
          await sleep(500);
        }
        counts.deliveries++;
      };

      let isOver = false;
      let victim: GaleraNode | undefined;
      const every = async (perSecond: number, job: (i: number) => Promise<void>) => {
        const began = now();
        const jobs: Promise<void>[] = [];
        for (let i = 0; !isOver; i++) {
          await sleep(Math.max(began + (i * 1000) / perSecond - now(), 0));
          jobs.push(job(i).catch((error: Error) => void wrong.push(`${job.name} ${i}: ${error.message}`)));
        }
        await Promise.all(jobs);
      };
      const writer = async () => {
        for (let i = 0; !isOver; i++) {
          const node = galera.nodes.findLast((one) => one !== victim) as GaleraNode;
          const name = `new${i}`;
          const row = `('${name}', 7000, 7000, '/home/${name}')`;
          await node.sql(`INSERT INTO mailbox (username, uid, gid, home) VALUES ${row}`, DATABASE).then(
            () => fresh.push({ name, at: now() }) && counts.added++,
            () => {}, // its node was ended next, before it reported the row
          );
          await sleep(300);
        }
      };

      const queries = () =>
        Promise.all(galera.nodes.map(({ name }) => figure(sqld.socket, "server_queries", name)));
      const used = async () => {
        const before = await queries();
        await sleep(200);
        const after = await queries();
        return after.map((count, i) => (count > (before[i] ?? 0) ? i : -1)).filter((i) => i >= 0);
      };
      /** Every question goes to the first server of the list again. */
      const returned = () => expect.poll(used, { timeout: 60_000, interval: 300 }).toEqual([0]);
      const befall = async (what: string, node: GaleraNode, strike: () => unknown) => {
        victim = node;
        misfortunes.push({ what, at: now(), window: 0, troubles: 0, slowest: 0 });
        await strike();
      };
      const [first, second, third] = galera.nodes as [GaleraNode, GaleraNode, GaleraNode];
      const away = () => expect.poll(used, { timeout: WINDOW }).not.toContain(0);
      const size = (nodes: number, by: GaleraNode) =>
        expect
          .poll(() => by.sql("SHOW STATUS LIKE 'wsrep_cluster_size'"), { timeout: 60_000, interval: 100 })
          .toContain(`\t${nodes}\n`);
      const kill = async (node: GaleraNode, by: GaleraNode, wipe = false) => {
        await befall(`kill -9 of the ${NAMES[galera.nodes.indexOf(node)]}`, node, node.kill);
        await size(2, by); // until then it would be taken for the one that was killed
        await node.restart(wipe);
        await node.synced();
      };
      const refuse = async () => {
        const reject = (what: string) => first.sql(`SET GLOBAL wsrep_reject_queries = ${what}`);
        await befall("error 1047 of the first", first, () => reject("ALL"));
        await away();
        await reject("NONE");
      };
      const freeze = async (until: () => Promise<unknown>) => {
        await befall("SIGSTOP of the first", first, first.freeze);
        await sleep(WINDOW);
        await away();
        await until();
        first.thaw();
      };
      const isolate = async () => {
        const set = (yes: number) => first.sql(`SET GLOBAL wsrep_provider_options = 'gmcast.isolate=${yes}'`);
        const ready = () => first.sql("SHOW STATUS LIKE 'wsrep_ready'");
        await set(1);
        await expect.poll(ready, { timeout: 60_000, interval: 20 }).toContain("OFF");
        await befall("the first is not Primary", first, away);
        await sleep(1000);
        await set(0);
        await first.synced();
      };
      const restart = async () => {
        await befall("SIGTERM of the first", first, first.shutdown);
        await away();
        await first.restart();
        await first.synced();
      };

      type Story = readonly (() => Promise<unknown>)[];
      const short: Story = [
        () => kill(first, third),
        refuse,
        async () => {
          await freeze(() => sleep(1000));
          await befall("kill -9 of the second, in use", second, second.kill);
        },
      ];
      const long: Story = [
        () => kill(first, third),
        refuse,
        restart,
        isolate,
        async () => {
          // Until the others go on without it, and change tables.
          await freeze(() => size(2, third).then(() => sleep(SETTLED + 500)));
          await size(3, third);
          await kill(second, third, true); // it is in use, and loses its disk
        },
        () => kill(third, second),
      ];
      const misfortune = async () => {
        const began = now();
        do {
          for (const step of SECONDS > 0 ? long : short) {
            await step();
            await returned();
          }
        } while (now() - began < SECONDS * 1000);
        await sleep(1000);
      };

      await sleep(500);
      await Promise.all([
        misfortune().finally(() => {
          isOver = true;
        }),
        every(LOOKUPS, lookup),
        every(PROCESSES, process),
        every(DELIVERIES, delivery),
        writer(),
      ]);

      const hits = await figure(sqld.socket, "cache_hits");
      const perServer = await queries();
      console.log(`galera: ${JSON.stringify({ ...counts, perServer })}`);
      for (const { at: _, ...one } of misfortunes) console.log(`galera: ${JSON.stringify(one)}`);
      expect(wrong).toEqual([]);
      expect(hits).toBe(0);
      expect(perServer.reduce((a, b) => a + b)).toBeGreaterThan(counts.lookups);
      const bodies = homes.flatMap((home) => {
        const dir = join(home, "Maildir/new");
        return readdirSync(dir).map(
          (name) => /message (\d+)\n$/.exec(readFileSync(join(dir, name), "latin1"))?.[1],
        );
      });
      const each = Array.from({ length: counts.deliveries }, (_, i) => i);
      expect(bodies.map(Number).sort((a, b) => a - b)).toEqual(each);
    },
    (SECONDS + 300) * 1000,
  );

  test("is asked in turn by a program with a connection of its own", async () => {
    const alone = makeWorld();
    alone.control("sqlserver", readFileSync(join(world.home, "control/sqlserver"), "latin1"));
    const right = [0, `d0|${UID}|${UID}|${homes[0]}|-|Ext|`];
    const got = async () => {
      const { code, stdout } = await run("qmail-getpw", ["d0-Ext"], { env: alone.env });
      return [code, visible(stdout)];
    };
    const [first] = galera.nodes as [GaleraNode];
    await first.sql("SET GLOBAL wsrep_reject_queries = ALL");
    expect(await got()).toEqual(right);
    await first.sql("SET GLOBAL wsrep_reject_queries = NONE");
    first.freeze();
    expect(await got()).toEqual(right);
    first.thaw();
    alone.remove();
  });
});

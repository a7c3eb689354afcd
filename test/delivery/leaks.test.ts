import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FIRST_UID, mail, makeUsers, userRows } from "../lib/crash-users.ts";
import { overSocket } from "../lib/databases.ts";
import { makeQueue, spawnLspawn } from "../lib/lspawn.ts";
import { forkServers, holdings, workers } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { startQmailSend } from "../lib/qmail-send.ts";
import { numbers } from "../lib/random.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeMaildir, makeWorld } from "../lib/world.ts";

// LEAK_DELIVERIES=100000 is the full test.
const DELIVERIES = Number(process.env.LEAK_DELIVERIES ?? 5000);
const SAMPLES = 10;
const WARM = 3; // samples until every kind of worker is there, and code is compiled
const AT_ONCE = 20;
const SPARE_FDS = 8; // two workers more or less
const SPARE_MEMORY = 10_000; // kilobytes between two collections of garbage

describe.skipIf(!isRoot)("qmail-lspawn, its workers and qmail-sqld", () => {
  const world = makeWorld();
  afterAll(() => world.remove());

  test(
    `hold no more after ${DELIVERIES} deliveries than after some`,
    async () => {
      const homes = makeUsers(world);
      overSocket.prepare(world).sql(userRows(homes));
      makeQueue(world);
      world.control("lspawn-settings", "workers 30\nidle 600\n");
      const sqld = startSqld(world, "ttl 1\nnegative_ttl 1\n");
      const next = mail(numbers(1));
      let nth = 0;
      const send = startQmailSend(
        world,
        AT_ONCE,
        () => spawnLspawn(world, [join(BIN, "qmail-lspawn"), "./Maildir/"]),
        () => {
          const { text, recipients } = next();
          // A program costs a worker: one message in fifty.
          const ext = nth++ % 50 === 0 ? "-prog" : "";
          return { text, recipients: recipients.map((recipient) => recipient.replace("-prog", ext)) };
        },
      );
      const empty = (dir: string, uid: number) => {
        rmSync(dir, { recursive: true });
        makeMaildir(dir, uid, uid);
      };
      await send.begin();
      const samples: Record<string, ReturnType<typeof holdings>>[] = [];
      for (let i = 0; i < SAMPLES; i++) {
        send.resume();
        await send.reports(DELIVERIES / SAMPLES);
        await send.rest();
        for (const [k, home] of homes.entries()) {
          for (const dir of ["Maildir", "Sales"]) empty(join(home, dir), FIRST_UID + k);
        }
        const all = workers(send.pid()).map(holdings);
        samples.push({
          "qmail-lspawn": holdings(send.pid()),
          "fork server": holdings(forkServers(send.pid())[0] ?? 0),
          "qmail-sqld": holdings(sqld.pid),
          worker: {
            fds: Math.max(...all.map(({ fds }) => fds)),
            memory: Math.max(...all.map(({ memory }) => memory)),
          },
        });
      }
      await send.drain();
      await sqld.stop();

      expect(send.deliveries.every(({ attempts }) => attempts.at(-1)?.report?.startsWith("K"))).toBe(true);
      for (const who of Object.keys(samples[0] ?? {})) {
        const most = (of: typeof samples, what: "fds" | "memory") =>
          Math.max(...of.map((sample) => sample[who]?.[what] ?? Number.NaN));
        const [warm, late] = [samples.slice(0, WARM), samples.slice(WARM)];
        console.log(
          `leaks: ${who}: descriptors ${most(warm, "fds")} at first, then ${most(late, "fds")} at most; ` +
            `kilobytes ${most(warm, "memory")}, then ${most(late, "memory")}`,
        );
        expect(most(late, "fds")).toBeLessThanOrEqual(most(warm, "fds") + SPARE_FDS);
        expect(most(late, "memory")).toBeLessThanOrEqual(most(warm, "memory") * 1.25 + SPARE_MEMORY);
      }
    },
    60_000 + DELIVERIES * 20,
  );
});

import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST_UID, mail, USERS, userRows } from "../lib/crash-users.ts";
import { sqlite } from "../lib/databases.ts";
import { type LossyDisk, startLossyDisk } from "../lib/lossy-disk.ts";
import { makeQueue, spawnLspawn } from "../lib/lspawn.ts";
import { children, isAlive, signal, state } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { startQmailSend } from "../lib/qmail-send.ts";
import { numbers } from "../lib/random.ts";
import { isRoot, makeMaildir, makeWorld } from "../lib/world.ts";

// POWER_CUTS=50 is the full test. POWER_SEED repeats a run's choices, though not its timing.
const CUTS = Number(process.env.POWER_CUTS ?? 4);
const SEED = Number(process.env.POWER_SEED ?? Date.now() % 1_000_000);
const AT_ONCE = 20;
const REPORTS = 120; // between two cuts, at most
const PAUSE = 30; // milliseconds after them, at most
const LIMIT = 60_000 + CUTS * 10_000;

interface Found {
  /** Deliveries reported as successes when the power was cut. */
  readonly reported: number;
  /** Those of them that are not there as they should be. */
  readonly missing: readonly string[];
  /** Files in new/ that hold only a part of a message. */
  readonly torn: readonly string[];
}

describe.skipIf(!isRoot)(
  "the power fails while mail is delivered, on a disk that loses what was not flushed",
  () => {
    const world = makeWorld();
    let disk: LossyDisk;
    let homes: readonly string[];

    beforeAll(async () => {
      disk = await startLossyDisk(SEED);
      homes = Array.from({ length: USERS }, (_, i) => makeHome(join(disk.dir, `u${i}`), FIRST_UID + i));
      execFileSync("sync", ["-f", disk.dir]);
      sqlite.prepare(world).sql(userRows(homes));
      makeQueue(world);
    });
    afterAll(async () => {
      await disk?.stop();
      world.remove();
    });

    /** Delivers, and cuts the power so often; what is then on the disk beside what was reported. */
    async function cutPower(cuts: number, command: readonly string[]): Promise<Found> {
      const random = numbers(SEED);
      const next = mail(numbers(SEED));
      // What a program of the user's does about the disk is the user's.
      const ours = () => {
        const { text, recipients } = next();
        return { text, recipients: recipients.map((recipient) => recipient.replace("-prog", "")) };
      };
      const send = startQmailSend(world, AT_ONCE, () => spawnLspawn(world, command), ours);
      for (let i = 0; i < cuts; i++) {
        await send.begin();
        await send.reports(random(REPORTS));
        await sleep(random(PAUSE));
        const [pid, workers] = [send.pid(), await stopped(send.pid())];
        disk.cut();
        for (const process of [pid, ...workers]) signal(process, "SIGKILL");
        await send.gone();
        while (workers.some(isAlive)) await sleep(5);
        await disk.restart();
      }
      const asked = send.deliveries.flatMap(({ text, recipient, attempts }) =>
        attempts.map(({ sender, report }) => {
          return { sender, report, text: `Return-Path: <${sender}>\nDelivered-To: ${recipient}\n${text}` };
        }),
      );
      const reported = asked.filter(({ report }) => report?.startsWith("K"));
      const texts = new Map(asked.map(({ sender, text }) => [sender, text]));
      const found = readMail(homes);
      return {
        reported: reported.length,
        missing: reported
          .filter(({ sender, text }) => found.get(sender) !== text)
          .map(({ sender }) => sender),
        torn: [...found].filter(([sender, text]) => texts.get(sender) !== text).map(([sender]) => sender),
      };
    }

    test(
      `${CUTS} times: every message reported as delivered is there, and none in part`,
      async () => {
        const found = await cutPower(CUTS, [join(BIN, "qmail-lspawn"), "./Maildir/"]);
        console.log(`power failure, seed ${SEED}: ${CUTS} cuts, ${found.reported} deliveries reported`);
        expect(found.missing).toEqual([]);
        expect(found.torn).toEqual([]);
        expect(found.reported).toBeGreaterThan(0);
      },
      LIMIT,
    );

    test(
      "with an fsync that does nothing, messages are missing: the disk does lose them",
      async () => {
        const [source, library] = [join(world.home, "no-fsync.c"), join(world.home, "no-fsync.so")];
        writeFileSync(
          source,
          "int fsync(int fd) { return fd < 0; }\nint fdatasync(int fd) { return fd < 0; }\n",
        );
        execFileSync("gcc", ["-shared", "-fPIC", "-o", library, source]);
        empty(homes);
        execFileSync("sync", ["-f", disk.dir]);
        const found = await cutPower(2, [
          "/usr/bin/env",
          `LD_PRELOAD=${library}`,
          join(BIN, "qmail-lspawn"),
          "./Maildir/",
        ]);
        expect(found.missing.length + found.torn.length).toBeGreaterThan(0);
      },
      LIMIT,
    );
  },
);

/** Stops a qmail-lspawn, so that it reports nothing more; its workers. */
async function stopped(pid: number): Promise<number[]> {
  process.kill(pid, "SIGSTOP");
  while (state(pid) !== "T") await sleep(0);
  return descendants(pid);
}

function descendants(pid: number): number[] {
  const own = children(pid);
  return [...own, ...own.filter(isAlive).flatMap(descendants)];
}

function makeHome(home: string, uid: number): string {
  mkdirSync(home);
  for (const dir of ["Maildir", "Sales"]) makeMaildir(join(home, dir), uid, uid);
  execFileSync("chown", [`${uid}:${uid}`, home]);
  return home;
}

const places = (homes: readonly string[]) =>
  homes.flatMap((home) => ["Maildir/new", "Sales/new"].map((dir) => join(home, dir)));

function empty(homes: readonly string[]): void {
  for (const dir of places(homes)) for (const name of readdirSync(dir)) rmSync(join(dir, name));
}

/** Everything in every new/, by its sender; what has none, by its file. */
function readMail(homes: readonly string[]): Map<string, string> {
  const files = places(homes).flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)));
  return new Map(
    files.map((file) => {
      const text = readFileSync(file, "latin1");
      return [/^Return-Path: <(.*)>\n/.exec(text)?.[1] ?? file, text];
    }),
  );
}

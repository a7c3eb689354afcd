import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { makeQueue, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const PAIRS = 12;

// A worker of qmail-lspawn that becomes qmail-local keeps its pid, and so does a program that becomes another.
describe.skipIf(!isRoot)("names in a Maildir", () => {
  const world = makeWorld();
  const home = world.user("iain", UID);
  const arrived = join(home, "Maildir/new");
  let lspawn: RunningLspawn;
  beforeAll(() => {
    const { sql } = sqlite.prepare(world);
    sql(mailboxRow({ name: "iain", uid: UID, home: home }));
    writeFileSync(join(home, ".qmail-prog"), "./Maildir/\n|true\n./Maildir/\n");
    makeQueue(world);
    lspawn = startLspawn(world);
  });
  afterAll(async () => {
    expect(await lspawn.end()).toBe(0);
    world.remove();
  });

  test("differ when one process makes a delivery, becomes qmail-local and makes others", async () => {
    for (let i = 0; i < PAIRS; i++) {
      expect(await lspawn.deliver("iain@example.org")).toBe("Kdid 1+0+0\n");
      expect(await lspawn.deliver("iain-prog@example.org")).toBe("Kdid 2+0+1\n");
    }
    expect(readdirSync(arrived)).toHaveLength(3 * PAIRS);
    expect(readdirSync(join(home, "Maildir/tmp"))).toEqual([]);
  }, 30_000);

  test("begin with the time, a dot and microseconds, as maildir(5) readers sort them, and end with the host", () => {
    const names = readdirSync(arrived);
    const now = Math.floor(Date.now() / 1000);
    for (const name of names) {
      const [, time, microseconds] = /^(\d{10})\.M(\d{1,6})P\d+Q\d+\.[^/:]+$/.exec(name) ?? [];
      expect(now - Number(time), name).toBeLessThan(60);
      expect(Number(microseconds), name).toBeLessThan(1_000_000);
    }
    for (const name of names) rmSync(join(arrived, name));
  });
});

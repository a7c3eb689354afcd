import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overSocket, sqlite } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { makeRound, makeUsersCdb, ROUND, type Round } from "../lib/reality.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// control/validrcptto.cdb, read by tinycdb, beside the verdicts of qmail-rcptcheck.

const ROUNDS = Number(process.env.RECIPIENT_ROUNDS ?? 6);

const rebuild = (world: World, ...args: string[]) =>
  run("rebuild-cdb", ["--no-hup", ...args, "recipients"], { env: world.env, limit: 60_000 });

/** The keys of the list. */
function listed({ home }: World): Set<string> {
  const keys = execFileSync("cdb", ["-l", "-m", join(home, "control/validrcptto.cdb")]).toString("latin1");
  return new Set(keys.split("\n").filter((key) => key !== ""));
}

/** Is this recipient refused by a qmail-smtpd with the list? */
function isRefused(address: string, keys: ReadonlySet<string>): boolean {
  const name = address.toLowerCase();
  return !keys.has(name) && !keys.has(name.slice(name.lastIndexOf("@")));
}

async function verdicts({ world, addresses }: Round): Promise<string[]> {
  const input = addresses.map(({ typed }) => `${typed.length + 2}:x ${typed},`).join("");
  const got = await run("qmail-rcptcheck", ["socketmap"], { env: world.env, input });
  return [...got.stdout.matchAll(/\d+:(OK|NOTFOUND|TEMP)/g)].map(([, word = ""]) => word);
}

describe.skipIf(!isRoot).each([sqlite, overSocket])("the list of recipients over $name", (backend) => {
  test(`${ROUNDS * ROUND} addresses`, { timeout: 120_000 }, async () => {
    const count = { refused: 0, listed: 0, whole: 0 };
    for (let n = 0; n < ROUNDS; n++) {
      const round = makeRound(backend, numbers(Math.imul(n + 1, 0x9e3779b1) >>> 1));
      const { world } = round;
      try {
        if (n % 2 === 0) makeUsersCdb(world, round.homes, numbers(n + 1));
        const rebuilt = await rebuild(world);
        expect([rebuilt.code, rebuilt.stderr]).toEqual([0, ""]);
        const keys = listed(world);
        const words = await verdicts(round);
        expect(words).toHaveLength(ROUND);
        for (const [i, { typed, host }] of round.addresses.entries()) {
          const refused = isRefused(typed, keys);
          const isWhole = keys.has(`@${host}`);
          // Never one that is deliverable; and of a host that can be listed exactly those that nobody has.
          expect(refused, `round ${n} ${typed} ${words[i]}`).toBe(!isWhole && words[i] === "NOTFOUND");
          count[refused ? "refused" : isWhole ? "whole" : "listed"]++;
        }
      } finally {
        world.remove();
      }
    }
    for (const [what, times] of Object.entries(count)) expect(times, what).toBeGreaterThan(0);
  });
});

test("a host below a name cannot be listed, and nothing is written", async () => {
  const world = makeWorld();
  try {
    sqlite.prepare(world);
    world.control("me", "h.example\n");
    world.control("rcpthosts", "h.example\n.sub.example\n");
    const got = await rebuild(world);
    expect([got.code, got.stderr]).toEqual([100, expect.stringContaining("rcpthosts has .sub.example")]);
    expect(existsSync(join(world.home, "control/validrcptto"))).toBe(false);
    world.control("rcpthosts", "h.example\nbackup.example\n");
    world.control("validrcptto.local", "# by hand\nX@Sub.example\n");
    expect((await rebuild(world)).code).toBe(0);
    expect([...listed(world)].sort()).toEqual(["@backup.example", "@h.example", "x@sub.example"]);
    expect(readFileSync(join(world.home, "control/validrcptto"), "latin1")).toContain(
      "\nX@Sub.example\n@backup",
    );
  } finally {
    world.remove();
  }
});

test("without the database the list stays", async () => {
  const world = makeWorld();
  try {
    world.control("sqlserver", "server /nowhere/mysqld.sock\nlogin x\npassword y\ndb z\n");
    world.control("me", "h.example\n");
    world.control("rcpthosts", "h.example\n");
    expect((await rebuild(world)).code).toBe(111);
    expect(existsSync(join(world.home, "control/validrcptto.cdb"))).toBe(false);
  } finally {
    world.remove();
  }
});

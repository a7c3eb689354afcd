import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overSocket, sqlite, throughSqld } from "../lib/databases.ts";
import { startLspawn } from "../lib/lspawn.ts";
import { BIN, run } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { landed, logForwards, makeRound, makeUsersCdb, queued, ROUND, type Round } from "../lib/reality.ts";
import { isRoot, type World } from "../lib/world.ts";

// Compares the result of trace with deliveries: through qmail-getpw and qmail-local as a stock qmail-lspawn runs them, and
// through our qmail-lspawn, with random tables, homes and .qmail files. TRACE_ADDRESSES=10000 is the full test.

const ADDRESSES = Number(process.env.TRACE_ADDRESSES ?? 500);
const SEED = Number(process.env.TRACE_SEED ?? 1);

interface Owner {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly dash: string;
  readonly ext: string;
}
interface Traced {
  readonly outcome: "delivered" | "remote" | "bounces" | "waits";
  readonly instructions: string[];
  readonly owner: Owner | null;
}
async function trace({ world, addresses, defaultDelivery }: Round, lspawn: string): Promise<Traced[]> {
  const typed = addresses.map((address) => address.typed);
  const args = ["trace", "--json", "--lspawn", lspawn, "--default-delivery", defaultDelivery, ...typed];
  const got = await run("qmail-mysql", args, { env: world.env, limit: 60_000 });
  expect([got.code, got.stderr.match(/fatal.*/)?.[0]]).toEqual([0, undefined]);
  return JSON.parse(got.stdout);
}

/** Where mail goes according to trace: paths below homes, and the addresses to which it is forwarded. */
function goesTo({ instructions, owner }: Traced, homes: string): { paths: string[]; forwards: string[] } {
  const files = instructions.flatMap((text) => /^(?:maildir|mbox) (.*)$/s.exec(text)?.[1] ?? []);
  const forwards = instructions.flatMap((text) => /^forward (.*)$/s.exec(text)?.[1] ?? []);
  const paths = files.map((file) =>
    join(file.startsWith("/") ? "/" : (owner?.home ?? ""), file).replace(/\/$/, ""),
  );
  return {
    paths: [...new Set(paths)].filter((path) => path.startsWith(homes)).sort(),
    forwards: [...forwards].sort(),
  };
}

const outcomeOf = (code: number): string => (code === 0 ? "delivered" : code === 100 ? "bounces" : "waits");

const expectedOf = (traced: Traced, outcome: string, homes: string) => ({
  outcome: traced.outcome,
  ...(outcome === "delivered" && goesTo(traced, homes)),
});

const OUTCOMES: Readonly<Record<string, string>> = { K: "delivered", Z: "waits", D: "bounces" };

/** The same for our qmail-lspawn, with a users/cdb that has some of the addresses, and some invalid records. */
async function compareResident(round: Round, seed: number, env: World["env"], log: string): Promise<void> {
  const { world, homes, addresses, defaultDelivery } = round;
  makeUsersCdb(world, homes, numbers(seed));
  const traced = await trace(round, "ours");
  const lspawn = startLspawn({ ...world, env }, defaultDelivery);
  for (const [i, { typed, local, host }] of addresses.entries()) {
    const report = await lspawn.deliver(`${local}@${host}`);
    const outcome = OUTCOMES[report[0] ?? ""] ?? report;
    const paths = landed(homes);
    const forwards = queued(log);
    const got = { outcome, ...(outcome === "delivered" && { paths, forwards }) };
    const expected = expectedOf(traced[i] as Traced, outcome, homes);
    expect(expected, `ours, seed ${seed} ${typed} ${JSON.stringify(traced[i])} ${report}`).toEqual(got);
  }
  await lspawn.end();
}

describe.skipIf(!isRoot).each([sqlite, overSocket, throughSqld])(
  "trace and the chain over $name",
  (backend) => {
    test(`${ADDRESSES} addresses`, { timeout: 60_000 + ADDRESSES * 1000 }, async () => {
      const count = { delivered: 0, bounces: 0, waits: 0, remote: ADDRESSES };
      for (let n = 0; n * ROUND < ADDRESSES; n++) {
        const seed = Math.imul(SEED * 1009 + n, 0x9e3779b1) >>> 1; // far apart: the first numbers of near seeds are alike
        for (const outcome of await compare(makeRound(backend, numbers(seed)), seed)) count[outcome]++;
      }
      // Random tables with which all mail bounces would compare nothing.
      for (const times of Object.values(count)) expect(times).toBeGreaterThan(ADDRESSES / 25);
    });
  },
);

/** Throws where the two differ; the outcomes below a stock qmail-lspawn. */
async function compare(round: Round, seed: number): Promise<Traced["outcome"][]> {
  const { world, homes, addresses, defaultDelivery } = round;
  const { env, log } = logForwards(round);
  try {
    const stock = await trace(round, "stock");
    const message = join(world.home, "message");
    writeFileSync(message, "Subject: s\n\nbody\n");
    const chained = await run(
      "/usr/bin/python3",
      [join(import.meta.dirname, "../lib/chain.py"), BIN, defaultDelivery],
      {
        env,
        input: JSON.stringify({ homes, message, log, to: addresses.map(({ local, host }) => [local, host]) }),
        limit: 120_000,
      },
    );
    expect(chained.stderr).toBe("");
    const real = JSON.parse(chained.stdout);
    for (const [i, { typed }] of addresses.entries()) {
      const traced = stock[i] as Traced;
      const { code, owner, landed, forwards } = real[i];
      const got = { outcome: outcomeOf(code), owner, ...(code === 0 && { paths: landed, forwards }) };
      const expected = { ...expectedOf(traced, got.outcome, homes), owner: owner && traced.owner };
      expect(
        expected,
        `stock, seed ${seed} ${typed} ${JSON.stringify(traced)} ${JSON.stringify(real[i])}`,
      ).toEqual(got);
    }
    await compareResident(round, seed, env, log);
    return stock.map(({ outcome }) => outcome);
  } finally {
    world.remove();
  }
}

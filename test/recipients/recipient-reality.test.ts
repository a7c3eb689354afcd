import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overSocket, sqlite, throughSqld } from "../lib/databases.ts";
import { startLspawn } from "../lib/lspawn.ts";
import { BIN } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { logForwards, makeRound, makeUsersCdb, ROUND, type Round } from "../lib/reality.ts";
import { isRoot } from "../lib/world.ts";

// The verdict of qmail-rcptcheck about an address, beside what our qmail-lspawn makes of mail for it, over tables,
// homes and .qmail files made by dice.

const ADDRESSES = Number(process.env.RECIPIENT_ADDRESSES ?? 500);
const SEED = Number(process.env.RECIPIENT_SEED ?? 1);
const NOBODY = 65534; // it may not look into some of the homes

type Outcome = "delivered" | "nobody" | "suspended" | "waits" | "closed home";

function outcomeOf(report: string): Outcome {
  if (report.startsWith("K")) return "delivered";
  // Root may search the home, but not the user as whom the delivery is made.
  if (/^ZUnable to switch to .*: access denied/.test(report)) return "closed home";
  if (report.startsWith("Z")) return "waits";
  return report.includes("no mailbox here by that name") ? "nobody" : "suspended";
}

/** The verdicts about all addresses, in the protocol of Postfix, asked by one uid. */
async function verdicts({ world, addresses }: Round, uid: number): Promise<string[]> {
  const child = spawn(join(BIN, "qmail-rcptcheck"), ["socketmap"], {
    env: { PATH: process.env.PATH ?? "", ...world.env },
    stdio: ["pipe", "pipe", "ignore"],
    uid,
    gid: uid,
  });
  let got = "";
  child.stdout.on("data", (chunk: Buffer) => {
    got += chunk.toString("latin1");
  });
  const questions = addresses.map(({ typed }) => `recipients ${typed}`);
  child.stdin.end(questions.map((text) => `${Buffer.byteLength(text)}:${text},`).join(""));
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  const answers: string[] = [];
  for (let at = 0; at < got.length; ) {
    const colon = got.indexOf(":", at);
    const end = colon + 1 + Number(got.slice(at, colon));
    answers.push(got.slice(colon + 1, end));
    at = end + 1;
  }
  expect(answers).toHaveLength(addresses.length);
  return answers;
}

/** The possible outcomes for a recipient with this verdict; `sees`: the uid that asked may search all homes. */
function allowed(verdict: string, sees: boolean): readonly Outcome[] {
  const mayBeClosed = verdict.startsWith("OK") || (sees && verdict.startsWith("NOTFOUND"));
  return [...allowedIfOpen(verdict, sees), ...(mayBeClosed ? ["closed home" as const] : [])];
}

function allowedIfOpen(verdict: string, sees: boolean): readonly Outcome[] {
  if (verdict.startsWith("NOTFOUND")) return ["nobody", "suspended"];
  if (verdict.startsWith("TEMP")) return ["waits"];
  // Mail for an address that somebody has may wait for its home or its files.
  if (verdict === "OK unverifiable") return sees ? ["waits"] : ["delivered", "nobody", "suspended", "waits"];
  return ["delivered", "waits"];
}

describe.skipIf(!isRoot).each([sqlite, overSocket, throughSqld])("recipients over $name", (backend) => {
  test(`${ADDRESSES} addresses`, { timeout: 60_000 + ADDRESSES * 1000 }, async () => {
    const count: Record<string, number> = {};
    const add = (what: string) => {
      count[what] = (count[what] ?? 0) + 1;
    };
    for (let n = 0; n * ROUND < ADDRESSES; n++) {
      const seed = Math.imul(SEED * 2003 + n, 0x9e3779b1) >>> 1; // far apart, or their first dice are alike
      const round = makeRound(backend, numbers(seed));
      const { world, addresses, defaultDelivery } = round;
      try {
        const { env } = logForwards(round);
        makeUsersCdb(world, round.homes, numbers(seed));
        const asRoot = await verdicts(round, 0);
        const asNobody = await verdicts(round, NOBODY);
        const lspawn = startLspawn({ ...world, env }, defaultDelivery);
        for (const [i, { typed, local, host }] of addresses.entries()) {
          const report = await lspawn.deliver(`${local}@${host}`);
          const outcome = outcomeOf(report);
          const about = `seed ${seed} ${typed}: ${asRoot[i]}, ${asNobody[i]}: ${report}`;
          // With qmail-sqld the homes are examined as its uid.
          expect(allowed(asRoot[i] ?? "", backend !== throughSqld), about).toContain(outcome);
          expect(allowed(asNobody[i] ?? "", false), about).toContain(outcome);
          add(
            asRoot[i]
              ?.split(" ", 2)
              .join(" ")
              .trim()
              .replace(/^TEMP.*/, "TEMP") ?? "",
          );
          add(outcome);
        }
        await lspawn.end();
      } finally {
        world.remove();
      }
    }
    // Dice that make everything of one kind would compare nothing.
    for (const what of [
      "OK deliverable",
      "OK catch-all",
      "OK unverifiable",
      "NOTFOUND",
      "TEMP",
      "delivered",
      "nobody",
    ]) {
      expect(count[what] ?? 0, `${what} of ${JSON.stringify(count)}`).toBeGreaterThan(ADDRESSES / 50);
    }
  });
});

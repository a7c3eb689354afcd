import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { deliver } from "../lib/deliver.ts";
import { localCases } from "../lib/local-cases.ts";
import { BIN } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// What a stock qmail-local (notqmail 1.09) did in each case: lines of a result and the names of its cases.
// STOCK_QMAIL=/the/home compares with that one as well; RECORD=1 on top keeps what it did.
const KEPT = join(import.meta.dirname, "../data/qmail-local.jsonl");
const STOCK = process.env.STOCK_QMAIL;
const JOE = 64020;

const cases = localCases();
const group = (name: string) => name.split(/[ :]/, 1)[0] ?? "";
const groups = [...new Set(cases.map((one) => group(one.name)))];

/** What qmail-local did, as one line of JSON without what differs from run to run. */
type Results = ReadonlyMap<string, string>;

async function results(program: string, env: Readonly<Record<string, string>>): Promise<Results> {
  const raw = await deliver({ program, env, uid: isRoot ? JOE : 0, cases });
  return new Map(cases.map(({ name }, i) => [name, constant(raw[i])]));
}

const LONG = 1000;

function constant(result: unknown): string {
  return JSON.stringify(result, (_, value) => {
    if (typeof value !== "string") return value;
    const text = value
      .replace(/qp \d+\n/g, "qp PID\n")
      // 32 and 33 are the C library's own; make(1) starts its children with them ignored.
      .replace(/(SigIgn:\t0{7})[01]([08])(?=0{7}\n)/g, "$100")
      .replace(/(From [^ ]+) \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}\n/g, "$1 DATE\n");
    if (text.length < LONG) return text;
    return `${text.length} bytes ${createHash("sha256").update(text, "latin1").digest("hex").slice(0, 16)}`;
  });
}

function readKept(): Results {
  const lines = readFileSync(KEPT, "utf8").split("\n").filter(Boolean);
  const entries = lines.flatMap((line) => {
    const { result, cases: names } = JSON.parse(line) as { result: unknown; cases: string[] };
    return names.map((name) => [name, JSON.stringify(result)] as const);
  });
  return new Map(entries);
}

function keep(found: Results): void {
  const names = Map.groupBy(found.keys(), (name) => found.get(name) ?? "");
  const lines = Array.from(names, ([result, of]) => `{"result":${result},"cases":${JSON.stringify(of)}}\n`);
  writeFileSync(KEPT, lines.join(""));
}

describe("qmail-local does what a stock one does", () => {
  const world = makeWorld();
  afterAll(() => world.remove());
  let ours: Results;
  let kept: Results;
  let stock: Results | undefined;
  beforeAll(async () => {
    sqlite.prepare(world);
    if (STOCK !== undefined) stock = await results(`${STOCK}/bin/qmail-local`, {});
    if (stock && process.env.RECORD) keep(stock);
    kept = readKept();
    ours = await results(join(BIN, "qmail-local"), world.env);
  }, 180_000);

  const differences = (a: Results, b: Results, wanted: string) =>
    cases
      .map(({ name }) => name)
      .filter((name) => group(name) === wanted && a.get(name) !== b.get(name))
      .map((name) => ({ name, got: a.get(name), expected: b.get(name) }));

  test("there are at least 500 cases, each of another name and with a result", () => {
    expect(cases.length).toBeGreaterThanOrEqual(500);
    expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(kept.keys()));
  });

  test.each(groups)("%s: as kept", (name) => {
    expect(differences(ours, kept, name)).toEqual([]);
  });

  test.skipIf(STOCK === undefined)("all of them: as the one in $STOCK_QMAIL now does", () => {
    expect(groups.flatMap((name) => differences(kept, stock ?? new Map(), name))).toEqual([]);
  });
});

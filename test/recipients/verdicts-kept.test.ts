import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { overSocket } from "../lib/databases.ts";
import { ask, figure, type RunningSqld, startSqld } from "../lib/sqld.ts";
import { makeWorld } from "../lib/world.ts";

const world = makeWorld();
let sqld: RunningSqld;
let sql: (text: string) => string;

beforeAll(() => {
  ({ sql } = overSocket.prepare(world));
  world.control("me", "h.example\n");
  world.control("rcpthosts", "h.example\n");
  const uid = process.getuid?.() === 0 ? 64800 : (process.getuid?.() ?? 0);
  const home = world.user("ann", uid);
  expect(existsSync(home)).toBe(true);
  sql(
    `INSERT INTO mailbox (username, uid, gid, home, password) VALUES ('ann', ${uid}, ${uid}, '${home}', '')`,
  );
  sqld = startSqld(world, "ttl 2\nnegative_ttl 1\n");
});
afterAll(() => world.remove());

const verdict = async (address: string) =>
  (await ask(sqld.socket, "checkRecipient", address)).split("|", 1)[0];

/** Settles when the verdict is this one, within some seconds; with the verdicts before it. */
async function becomes(address: string, expected: string): Promise<void> {
  for (const end = Date.now() + 10_000; ; await sleep(100)) {
    const now = await verdict(address);
    if (now === expected) return;
    if (Date.now() > end) throw new Error(`still ${now}`);
  }
}

test("a verdict is one question, and kept", async () => {
  expect(await ask(sqld.socket, "checkRecipient", "ann@h.example")).toBe('Fdeliverable|mailbox row "ann"|');
  const queries = () => figure(sqld.socket, "cache_misses");
  const before = await queries();
  for (let i = 0; i < 20; i++) expect(await verdict("ann@h.example")).toBe("Fdeliverable");
  expect(await queries()).toBe(before);
});

test("a new mailbox is known when the answer that there is none has expired", async () => {
  expect(await verdict("eve@h.example")).toBe("Funknown");
  sql("INSERT INTO mailbox SELECT 'eve', uid, gid, home, password, password_type, suspended FROM mailbox");
  await becomes("eve@h.example", "Fdeliverable");
});

test("changed control files are read within a second or two", async () => {
  expect(await verdict("ann@new.example")).toBe("Fnot-ours");
  world.control("rcpthosts", "h.example\nnew.example\n");
  await becomes("ann@new.example", "Funverifiable");
  world.control("locals", "h.example\nnew.example\n");
  await becomes("ann@new.example", "Fdeliverable");
});

test("a control file that cannot be used is trouble, and its end is noticed", async () => {
  world.control("virtualdomains", `${"x".repeat(300_000)}\n`);
  for (const end = Date.now() + 5000; ; await sleep(100)) {
    const now = await verdict("bob@h.example");
    if (now?.startsWith("Tunable to use")) break;
    if (Date.now() > end) throw new Error(`still ${now}`);
  }
  world.control("virtualdomains", "");
  await becomes("bob@h.example", "Funknown");
});

test("without the tables who was accepted is, and nobody is refused", async () => {
  await becomes("ann@h.example", "Fdeliverable");
  await becomes("bob@h.example", "Funknown");
  sql("RENAME TABLE mailbox TO away");
  for (const end = Date.now() + 8000; ; await sleep(100)) {
    const now = await verdict("bob@h.example");
    if (now?.startsWith("T")) break;
    if (Date.now() > end) throw new Error(`still ${now}`);
  }
  await sleep(4500); // longer than both of ttl
  expect(await verdict("ann@h.example")).toBe("Fdeliverable");
  expect(await verdict("carl@h.example")).toMatch(/^T/);
  sql("RENAME TABLE away TO mailbox");
  await becomes("bob@h.example", "Funknown");
});

test("a wrong number of fields, and nothing but an address", async () => {
  expect(await ask(sqld.socket, "checkRecipient")).toMatch(/^T.*a wrong number of fields/);
  expect(await ask(sqld.socket, "checkRecipient", "a@h.example", "b")).toMatch(/^T/);
  expect(await verdict("")).toBe("Funknown");
  expect(await verdict(`${"-x".repeat(400)}@h.example`)).toBe("Funknown");
});

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const STOCK = process.env.STOCK_QMAIL;
const UID = 64800;
const SAM = join(process.env.TEST_HOMES ?? "", "sam");

/** What is in a Maildir's new/: each message's subject, and its Delivered-To lines from the top. */
function newMail(home: string): string[] {
  const dir = join(home, "Maildir/new");
  const texts = readdirSync(dir).map((name) => readFileSync(join(dir, name), "latin1"));
  return texts
    .map((text) => {
      const subject = /^Subject: (.*)$/m.exec(text)?.[1];
      const [header = ""] = text.split("\n\n", 1);
      return [subject, ...Array.from(header.matchAll(/^Delivered-To: (.*)$/gm), (found) => found[1])].join(
        " ",
      );
    })
    .sort();
}

describe.skipIf(!isRoot || !STOCK)("a stock qmail with our qmail-getpw, qmail-local and rebuild-cdb", () => {
  const world = makeWorld();
  const [iain, virtual] = ["iain", "virtual"].map((name) => world.user(name, UID)) as [string, string];
  let log: string;
  afterAll(() => world.remove());

  beforeAll(async () => {
    const { sql } = sqlite.prepare(world, "magic_forwarding yes\n");
    sql(`${mailboxRow({ name: "iain", uid: UID, home: iain })}
      ${mailboxRow({ name: "virtual", uid: UID, home: virtual })}
      INSERT INTO virtual VALUES ('iain', '', 'sales', 'virtual.com'), ('iain', 'two', 'two', 'virtual.com'),
        ('iain', 'away', 'away', 'virtual.com'), ('virtual', '@', '', 'virtual.com'),
        ('forward', 'loop@virtual.com', 'loop', 'virtual.com'), ('forward', 'sam@stock.test', 'magic', 'virtual.com');
      INSERT INTO alias VALUES ('iain', 'two', 'sales', 'virtual.com'), ('iain', 'two', 'sam', 'stock.test'),
        ('iain', 'away', 'sam', 'stock.test'), ('virtual', '@', '.', '/Maildir/');`);
    const mail = join(world.home, "mail");
    mkdirSync(join(mail, "control"), { recursive: true });
    const control = {
      me: "stock.test\n",
      locals: "stock.test\n",
    };
    const sqlserver = readFileSync(join(world.home, "control/sqlserver"), "latin1");
    for (const [file, text] of Object.entries({ ...control, sqlserver })) {
      writeFileSync(join(mail, "control", file), text);
    }
    for (const box of ["sales", "Whoever", "two", "away", "magic", "loop"]) {
      writeFileSync(join(mail, `${box}.message`), `From: sam@stock.test\nSubject: to ${box}\n\nbody\n`);
      writeFileSync(join(mail, `${box}.envelope`), `Fsam@stock.test\0T${box}@virtual.com\0\0`);
    }
    const script = join(import.meta.dirname, "../lib/stock-qmail.sh");
    const { stdout, stderr } = await run(script, [STOCK ?? "", mail, BIN], { limit: 60_000 });
    log = stderr + stdout;
  });

  test("virtual address: delivered; alias to two places: delivered there", () => {
    expect(newMail(iain), log).toEqual([
      "to sales virtual.com-sales@virtual.com",
      "to two virtual.com-sales@virtual.com virtual.com-two@virtual.com",
    ]);
  });
  test("catch-all: delivered", () => {
    expect(newMail(virtual), log).toEqual(["to Whoever virtual.com-Whoever@virtual.com"]);
  });
  test("the other of two places, a forward, a magic forward: delivered; a magic forward that loops: bounced once", () => {
    expect(newMail(SAM), log).toEqual([
      "failure notice sam@stock.test",
      "to away sam@stock.test virtual.com-away@virtual.com",
      "to magic sam@stock.test virtual.com-magic@virtual.com",
      "to two sam@stock.test virtual.com-two@virtual.com",
    ]);
    expect(log.match(/failure: This_message_is_looping/g)).toHaveLength(1);
  });
  test("nothing is left in the queue, nothing was deferred", () => {
    expect(log).not.toMatch(/deferral/);
    expect(log.trimEnd()).toMatch(/status: exiting$/);
  });
});

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const STOCK = process.env.STOCK_QMAIL;
const UID = 64800;

describe.skipIf(!isRoot || !STOCK)("a stock qmail with the tables of rebuild-cdb", () => {
  const world = makeWorld();
  const dir = join(world.home, "mail");
  const homes = Object.fromEntries(
    ["iain", "sanity", "my", "held"].map((name) => [name, world.user(name, UID)]),
  );
  let log: string;
  afterAll(() => world.remove());

  beforeAll(async () => {
    const { sql } = sqlite.prepare(world);
    const box = (name: string, home = name, uid = UID) =>
      mailboxRow({ name, uid, gid: UID, home: homes[home] ?? "" });
    sql(`${box("iain")} ${box("iain-sanity", "sanity")} ${box("my")} ${box("iain-stranger", "held", UID + 1)}
      INSERT INTO virtual VALUES ('iain', '', 'sales', 'my-domain.com');`);
    for (const part of ["first", "second"]) mkdirSync(join(dir, part), { recursive: true });
    renameSync(join(world.home, "users/mail.db"), join(dir, "mail.db"));
    const message = (part: string, to: string) =>
      writeFileSync(join(dir, part, to), `Subject: to ${to}\n\nbody\n`);
    for (const local of ["iain", "Iain-Ext", "iain-sanity", "iain-sanity-x", "my", "iain-stranger"]) {
      message("first", `${local}@stock.test`);
    }
    message("first", "sales@my-domain.com");
    message("second", "sales@new.example");
    message("second", "new@stock.test");
    writeFileSync(
      join(dir, "change.sql"),
      `INSERT INTO virtual VALUES ('my', '', 'sales', 'new.example'); ${box("new", "my")}`,
    );
    const script = join(import.meta.dirname, "../lib/stock-tables.sh");
    const { stdout, stderr } = await run(script, [STOCK ?? "", dir, BIN], { limit: 60_000 });
    log = stdout + stderr;
  });

  const subjects = (name: string) => {
    const maildir = join(homes[name] ?? "", "Maildir/new");
    return readdirSync(maildir)
      .map((file) => /^Subject: to (.*)$/m.exec(readFileSync(join(maildir, file), "latin1"))?.[1])
      .sort();
  };

  test("mailboxes, and a virtual address that begins like a mailbox", () => {
    expect(subjects("iain"), log).toEqual(["iain@stock.test", "sales@my-domain.com"]);
    expect(subjects("sanity"), log).toEqual(["iain-sanity@stock.test"]);
  });
  test("a mailbox and a virtual domain that came while qmail-send ran: it was told", () => {
    expect(log).toMatch(/"hup":\[\d+\]/);
    expect(subjects("my"), log).toEqual(["my@stock.test", "new@stock.test", "sales@new.example"]);
  });
  test("an extension without a user bounces, and a mailbox without a line is not an extension of another", () => {
    const bounced = [...log.matchAll(/delivery \d+: failure/g)];
    expect([bounced.length, subjects("held")], log).toEqual([3, []]);
  });
  test("qmail-getpw was asked for what the table leaves to it, and for no other mailbox", () => {
    const asked = readFileSync(join(dir, "getpw"), "latin1")
      .split("\n")
      .filter((local) => local !== "joe")
      .sort();
    expect(asked).toEqual(["", "Iain-Ext", "iain-stranger", "my-domain.com-sales", "new.example-sales"]);
  });
});

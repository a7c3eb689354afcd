import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cdbOf } from "../lib/cdb.ts";
import { backendsAndSqld, sqlite } from "../lib/databases.ts";
import { makeQueue, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;

describe.skipIf(!isRoot).each(backendsAndSqld)("an invalid mailbox row over $name", ({ prepare }) => {
  const world = makeWorld();
  const home = world.user("joe-x", UID);
  beforeAll(() => {
    const { sql } = prepare(world);
    sql(
      [
        mailboxRow({ name: "joe", uid: UID, home: "relative" }),
        mailboxRow({ name: "joe-x", uid: UID, home: home }),
        mailboxRow({ name: "joe-x-y", uid: UID, home: "" }),
      ].join("\n"),
    );
  });
  afterAll(() => world.remove());

  test.each([
    ["joe-x", 0, `joe-x|${UID}|${UID}|${home}|||`, ""],
    ["joe-x-list", 0, `joe-x|${UID}|${UID}|${home}|-|list|`, ""],
    ["joe-other", 118, "", 'row "joe": home: expected an absolute path'],
    ["joe-x-y-z", 118, "", 'row "joe-x-y": home: expected an absolute path'],
  ])("is trouble for what it controls alone: %s", async (local, code, out, reason) => {
    const got = await run("qmail-getpw", [local], { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([code, out]);
    expect(got.stderr).toContain(reason);
  });
});

describe.skipIf(!isRoot)("a relative home in users/cdb", () => {
  const world = makeWorld();
  let lspawn: RunningLspawn;
  beforeAll(() => {
    sqlite.prepare(world);
    const control = ["joe", UID, UID, "tmp", "", ""].join("\0");
    writeFileSync(
      join(world.home, "users/cdb"),
      cdbOf([
        ["!joe\0", control],
        ["", ""],
      ]),
    );
    makeQueue(world);
    lspawn = startLspawn(world, "./never-made");
  });
  afterAll(async () => {
    await lspawn.end();
    world.remove();
  });

  test("bounces the mail with qmail-local's usage, as stock does", async () => {
    // Seen from notqmail: qmail-local -- joe tmp joe '' '' h s ./Mailbox
    expect(await lspawn.deliver("joe@h")).toBe(
      "Dqmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender aliasempty\n",
    );
    expect(readdirSync("/tmp")).not.toContain("never-made");
  });
});

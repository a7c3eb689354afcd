import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALIAS, NOFILES, TO_ALIAS } from "../lib/accounts.ts";
import { backendsAndSqld } from "../lib/databases.ts";
import { run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;

describe.skipIf(!isRoot).each(backendsAndSqld)("virtual addresses over $name", ({ prepare }) => {
  const world = makeWorld();
  const homes = Object.fromEntries(
    ["virtual", "iain", "my"].map((name) => [name, world.user(name, UID, GID)]),
  );
  afterAll(() => world.remove());
  const mine = (user: string, dash = "", ext = "") => `${user}|${UID}|${GID}|${homes[user]}|${dash}|${ext}|`;

  async function expectAnswer(local: string, expected: string): Promise<void> {
    const got = await run("qmail-getpw", [local], { env: world.env });
    expect([got.code, visible(got.stdout), got.stderr]).toEqual([0, expected, ""]);
  }

  const load = (extra: string, rows: string) => {
    rmSync(join(world.home, "users/mail.db"), { force: true });
    const { sql } = prepare(world, extra);
    sql(
      `${Object.entries(homes)
        .map(([name, home]) => mailboxRow({ name, uid: UID, gid: GID, home }))
        .join("\n")} INSERT INTO \`virtual\` VALUES ${rows}`,
    );
  };

  describe("the FAQ's tables", () => {
    beforeAll(() => {
      load(
        "",
        `('virtual', '@', '', 'virtual.com'), ('iain', '', 'sales', 'sillydomain.com'), ('iain', 'x', 'Info', 'virtual.com'),
         ('iain', '', 'sales', 'my-domain.com'), ('forward', '', 'user', 'virtual.com'),
         ('forward', 'popaccount@hotmail.com', 'magic', 'virtual.com')`,
      );
    });
    test.each([
      ["virtual.com-whoever", mine("virtual", "-", "@")],
      ["virtual.com-info", mine("iain", "-", "x")],
      ["VIRTUAL.com-INFO", mine("iain", "-", "x")],
      ["sillydomain.com-sales", mine("iain")],
      ["sillydomain.com-madeup", `${TO_ALIAS}sillydomain.com-madeup|`], // bounces, unless alias wants it
      ["my-domain.com-sales", mine("iain")],
      ["my-domain.com-other", `${TO_ALIAS}my-domain.com-other|`], // not mail for the mailbox my
      ["my-other", mine("my", "-", "other")],
      ["virtual.com-magic", `${TO_ALIAS}forward-popaccount@hotmail.com|`], // switched off
    ])("%s -> %s", expectAnswer);
  });

  test("magic forwarding, switched on", async () => {
    load("magic_forwarding yes\n", "('forward', 'popaccount@hotmail.com', 'user', 'virtual.com')");
    await expectAnswer(
      "virtual.com-user",
      `forward|${ALIAS}|${NOFILES}|${process.env.TEST_HOMES}/alias|-|popaccount@hotmail.com|`,
    );
  });

  describe("funky queries", () => {
    beforeAll(() => {
      load(
        "funky_queries yes\n",
        `('virtual', '@', '%', 'virtual.com'), ('iain', 'blank', '', 'virtual.com'), ('iain', '', 'sales', 'virtual.com'),
         ('iain', 'team', 'sales-%', 'virtual.com'), ('my', '', '%', '%.virtual.com'),
         ('iain', '', 'jean-paul', 'v.com'), ('my', '', '%', '%.com-%')`,
      );
    });
    test.each([
      ["virtual.com-whoever", mine("virtual", "-", "@")],
      ["virtual.com-sales", mine("iain")],
      ["virtual.com-sales-eu", mine("iain", "-", "team")],
      ["mail.virtual.com-sales", mine("my")],
      ["v.com-jean-paul", mine("iain")], // v.com has a row, v.com-jean only a pattern
      ["w.com-jean-paul", mine("my")],
      ["other.com-sales", `${TO_ALIAS}other.com-sales|`],
    ])("%s -> %s", expectAnswer);
  });

  test("a row without a username defers and is named in the FAQ's words", async () => {
    load("", "('', '', 'info', 'virtual.com')");
    const got = await run("qmail-getpw", ["virtual.com-info"], { env: world.env });
    expect([got.code, got.stdout, got.stderr]).toEqual([
      118,
      "",
      "qmail-getpw: fatal: MySQL misconfiguration: virtual row ('', '', 'info', 'virtual.com') has no username\n",
    ]);
  });
});

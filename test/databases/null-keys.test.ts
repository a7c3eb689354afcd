import { schemas } from "@qmail-mysql/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backendsAndSqld, sqlite } from "../lib/databases.ts";
import { run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// Old databases have columns that may be NULL, which is a blank value: qmail-sql(5).

const UID = 64800;
const GID = 64100;
/** Tables of before there was a NOT NULL, with the keys of today. */
const OLD_TABLES = `DROP TABLE alias; DROP TABLE \`virtual\`;
  CREATE TABLE alias (username varchar(32), alias varchar(64), alias_username varchar(64), alias_host varchar(64));
  CREATE INDEX old_alias ON alias (username, alias);
  CREATE TABLE \`virtual\` (username varchar(32), ext varchar(64), virtual_username varchar(32), virtual_host varchar(64));
  CREATE INDEX old_virtual ON \`virtual\` (virtual_host, virtual_username);`;

describe.skipIf(!isRoot).each(backendsAndSqld)("NULL in keys, $name", ({ prepare }) => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  beforeAll(() => {
    prepare(world).sql(`${OLD_TABLES}
      ${mailboxRow({ name: "iain", uid: UID, home: home, gid: GID, password: "secret" })}
      INSERT INTO \`virtual\` VALUES ('iain', 'all', NULL, 'v.com'), ('iain', 'sales', 'sales', 'v.com');
      INSERT INTO alias VALUES ('iain', NULL, '.', '/null/'), ('iain', 'x', '.', '/x/'), (NULL, NULL, '.', '/none/')`);
  });
  afterAll(() => world.remove());
  const getpw = async (local: string) =>
    visible((await run("qmail-getpw", [local], { env: world.env })).stdout);
  const instructions = async (dash: string, ext: string) =>
    (
      await run(
        "qmail-local",
        ["-n", "iain", home, `iain${dash}${ext}`, dash, ext, "x.org", "", "./Maildir/"],
        {
          env: world.env,
          uid: UID,
          gid: GID,
        },
      )
    ).stdout;

  test("a catch-all", async () => {
    expect(await getpw("v.com-whoever")).toBe(`iain|${UID}|${GID}|${home}|-|all|`);
    expect(await getpw("v.com-sales")).toBe(`iain|${UID}|${GID}|${home}|-|sales|`);
  });

  test("the user's own address", async () => {
    expect(await instructions("", "")).toContain("/null/");
    expect(await instructions("-", "x")).toContain("/x/");
    expect(await instructions("-", "x")).not.toContain("/null/");
  });
});

describe("the administrator sees and removes such rows", () => {
  const world = makeWorld();
  const { sql } = sqlite.prepare(world);
  afterAll(() => world.remove());
  test.each([
    [
      "virtual",
      ["virtual", "del", "@v.com"],
      "(username, ext, virtual_username, virtual_host) VALUES ('iain', NULL, NULL, 'v.com')",
    ],
    [
      "alias",
      ["alias", "del", "iain", ""],
      "(username, alias, alias_username, alias_host) VALUES ('iain', NULL, '.', '/x/')",
    ],
  ])("%s", async (table, args, row) => {
    sql(OLD_TABLES);
    sql(`INSERT INTO \`${table}\` ${row}`);
    expect((await run("qmail-mysql", args, { env: world.env })).code).toBe(0);
    expect(sql(`SELECT COUNT(*) FROM \`${table}\``)).toBe("0\n");
  });
});

test.each([
  ["findVirtual", ["virtual_host=? AND virtual_username=?", "virtual_host=? AND virtual_username=?"]],
  ["findAliasRows", ["username=? AND alias=?", "username=? AND alias=?"]],
] as const)("%s uses both columns of the index of such a table", (question, expected) => {
  const world = makeWorld();
  const { sql } = sqlite.prepare(world);
  sql(OLD_TABLES);
  const plan = sql(`EXPLAIN QUERY PLAN ${schemas.sqlite[question].sql.replaceAll("?", "'x'")};`);
  expect([...plan.matchAll(/SEARCH .*?\((.*)\)/g)].map(([, terms]) => terms)).toEqual(expected);
  world.remove();
});

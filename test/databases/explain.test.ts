import { type Question, schemas, statements } from "@qmail-mysql/database";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket, sqlite } from "../lib/databases.ts";
import { makeWorld } from "../lib/world.ts";

const ROWS = 5000;
/** Every question about one address or name: however large a table is, it is found through an index. */
const LOOKUPS: Question[] = [
  "findMailboxes",
  "findLogin",
  "findAliasRows",
  "findVirtual",
  "findVirtualHosts",
];
/** Whole tables, in the order of an index: nobody sorts a million rows. */
const STREAMS: (keyof typeof statements)[] = ["eachVirtualHost", "eachRcptHost", "eachMailbox"];

/** A statement with values where its placeholders are, for EXPLAIN. */
const withValues = (statement: string) => {
  let n = 0;
  return statement.replaceAll("?", () => `'name${++n * 7}'`);
};

describe("over SQLite", () => {
  const world = makeWorld();
  const { sql } = sqlite.prepare(world);
  beforeAll(() => {
    const rows = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < ${ROWS})`;
    sql(`${rows} INSERT INTO mailbox (username, uid, gid, home) SELECT 'name' || i, 1, 1, '/' FROM c;
      ${rows} INSERT INTO "virtual" SELECT 'joe', '', 'name' || i, 'name' || (i % 1000) FROM c;
      ${rows} INSERT INTO alias (username, alias) SELECT 'name' || (i % 1000), 'name' || i FROM c;
      ${rows} INSERT INTO rcpthosts SELECT 'name' || i FROM c; ANALYZE;`);
  });
  afterAll(() => world.remove());
  const plan = (statement: string) => sql(`EXPLAIN QUERY PLAN ${withValues(statement)};`);

  test.each(LOOKUPS)("%s searches an index", (name) => {
    const { sql: statement } = schemas.sqlite[name];
    expect(plan(statement)).toMatch(/SEARCH .* USING (COVERING )?INDEX/);
    expect(plan(statement)).not.toMatch(/SCAN/);
  });
  test.each(STREAMS)("%s reads in the order of an index", (name) => {
    expect(plan(statements[name])).toMatch(/SCAN .* USING (COVERING )?INDEX/);
    expect(plan(statements[name])).not.toMatch(/TEMP B-TREE/);
  });
});

describe("over MariaDB", () => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = overSocket.prepare(world));
    sql(`INSERT INTO mailbox (username, uid, gid, home) SELECT CONCAT('name', seq), 1, 1, '/' FROM seq_1_to_${ROWS};
      INSERT INTO \`virtual\` SELECT 'joe', '', CONCAT('name', seq), CONCAT('name', seq % 1000) FROM seq_1_to_${ROWS};
      INSERT INTO alias (username, alias) SELECT CONCAT('name', seq % 1000), CONCAT('name', seq) FROM seq_1_to_${ROWS};
      INSERT INTO rcpthosts SELECT CONCAT('name', seq) FROM seq_1_to_${ROWS};
      ANALYZE TABLE mailbox, alias, \`virtual\`, rcpthosts;`);
  });
  afterAll(() => world.remove());
  /** Columns of EXPLAIN: id select_type table type possible_keys key key_len ref rows Extra. */
  const plan = (statement: string) =>
    sql(`EXPLAIN ${withValues(statement)};`)
      .trimEnd()
      .split("\t");

  test.each(LOOKUPS)("%s searches an index", (name) => {
    const [, , , type, , key, , , rows] = plan(schemas.mysql[name].sql);
    expect(["const", "ref", "range"]).toContain(type);
    expect(key).not.toBe("NULL");
    expect(Number(rows)).toBeLessThan(ROWS / 10);
  });
  test.each(STREAMS)("%s reads in the order of an index", (name) => {
    expect(plan(statements[name]).at(-1)).not.toContain("filesort");
  });
});

import { chooseVirtual } from "@qmail-mysql/routing";
import { openStore, readSqlServer, type Store } from "@qmail-mysql/store";
import { lower } from "@qmail-mysql/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket, sqlite } from "../lib/databases.ts";
import { numbers } from "../lib/random.ts";
import { makeWorld } from "../lib/world.ts";

const CASES = 2000;

// What collations fold, drivers decode, LIKE and SQL's quotes take for something else; byte strings.
const PIECES = [
  ..."aAbB-@.%_\\'\"`;? \t",
  "\xc3\xa9", // é
  "\xc3\x89", // É
  "e",
  "\xe9",
  "\xff\xfe",
  "\xf0\x9f\x98\x80", // outside the basic plane
  "\xe2\x84\xaa", // the Kelvin sign
  "\xc3\x9f", // ß, which some collations take for ss
  "ss",
  "x.org",
];

describe.each([false, true])(
  "SQLite and MariaDB give one answer to every address, funky queries: %s",
  (funky) => {
    const world = { sqlite: makeWorld(), mariadb: makeWorld() };
    let stores: Store[] = [];
    const names: string[] = [];
    const random = numbers(funky ? 7 : 3);
    const word = () =>
      Array.from({ length: 1 + random(3) }, () => PIECES[random(PIECES.length)] ?? "").join("");
    const isText = (bytes: string) => !Buffer.from(bytes, "latin1").toString().includes("\ufffd");
    const quote = (bytes: string) => `X'${Buffer.from(bytes, "latin1").toString("hex")}'`;

    beforeAll(async () => {
      const seen = new Set<string>();
      while (names.length < 60) {
        const name = lower(word());
        // What one of the two takes for a duplicate key cannot be in both: letters only, apart from the folded ones.
        const key = name.normalize("NFKD").replace(/[^a-z.]/g, "");
        if (isText(name) && key !== "" && !seen.has(key) && !/[ \t]$/.test(name)) names.push(name);
        seen.add(key);
      }
      const extra = `funky_queries ${funky ? "yes" : "no"}\n`;
      const databases = [sqlite.prepare(world.sqlite, extra), overSocket.prepare(world.mariadb, extra)];
      databases.forEach(({ sql }, i) => {
        const text = (bytes: string) =>
          i === 0 ? `CAST(${quote(bytes)} AS TEXT)` : `CONVERT(${quote(bytes)} USING utf8mb4)`;
        for (const [n, name] of names.entries()) {
          sql(
            `INSERT INTO mailbox (username, uid, gid, home) VALUES (${text(name)}, ${1000 + n}, 100, '/home/${n}')`,
          );
          const pattern = names[(n * 7) % names.length] ?? "";
          sql(
            `INSERT INTO \`virtual\` VALUES (${text(name)}, '', ${text(n % 5 === 0 ? "" : pattern)}, ${text(n % 3 === 0 ? "x.org" : name)})`,
          );
          sql(`INSERT INTO alias VALUES (${text(name)}, ${text(pattern)}, 'to', 'example.com')`);
        }
      });
      stores = await Promise.all(
        [world.sqlite, world.mariadb].map(({ home }) =>
          openStore({ ...readSqlServer(home, "test"), timeout: 60 }, home),
        ),
      );
    });
    afterAll(async () => {
      for (const store of stores) await store.close();
      world.sqlite.remove();
      world.mariadb.remove();
    });

    test(`${CASES} addresses`, { timeout: 60_000 }, async () => {
      let found = 0;
      for (let i = 0; i < CASES; i++) {
        const local = lower(random(3) === 0 ? (names[random(names.length)] ?? "") : word());
        const host = lower(random(2) === 0 ? "x.org" : (names[random(names.length)] ?? ""));
        const answers = await Promise.all(
          stores.map(async (store) => {
            const rows = await store.findVirtual(local, host);
            const aliases = await store.findAliases(local, [host, "@"]);
            return {
              mailboxes: (await store.findMailboxes([local, host])).map((box) => box.username).sort(),
              hosts: await store.findVirtualHosts([local, host]),
              virtual: chooseVirtual(rows, local, host, funky),
              aliases: aliases.map((row) => [row.username, row.alias]),
            };
          }),
        );
        const [first, second] = answers;
        expect(first, JSON.stringify([local, host])).toEqual(second);
        for (const name of first?.mailboxes ?? []) expect([local, host]).toContain(lower(name));
        found += first?.mailboxes.length ?? 0;
      }
      expect(found).toBeGreaterThan(CASES / 4); // the question was worth asking
    });
  },
);

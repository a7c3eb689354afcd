import { Trouble } from "@qmail-mysql/unix";
import { describe, expect, test } from "vitest";
import { type Database, Unavailable } from "./database.ts";
import { openPool, type PoolServer } from "./pool.ts";
import { statements } from "./statements.ts";

const SQL = statements.decoy;

/** Servers that are up or down by name; each row says who answered. */
function world(...names: string[]) {
  const down = new Set<string>();
  const opened: string[] = [];
  let clock = 0;
  const list: PoolServer[] = names.map((name) => ({
    name,
    open: async () => {
      opened.push(name);
      if (down.has(name)) throw new Unavailable(`${name} is down`);
      return {
        query: async (_: unknown, [value]: readonly unknown[]) => {
          if (down.has(name)) throw new Unavailable(`${name} went down`);
          if (value === "wrong") throw new Trouble("no such table");
          return [{ name }];
        },
        close: async () => {},
      } as unknown as Database;
    },
  }));
  return {
    down,
    opened,
    pass: (ms: number) => {
      clock += ms;
    },
    pool: openPool(list, 2, 5000, () => clock),
  };
}

describe("a pool", () => {
  test("uses the first server, over and over on one connection", async () => {
    const { pool, opened } = world("a", "b");
    for (let i = 0; i < 5; i++) expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    expect(opened).toEqual(["a"]);
  });

  test("has no more connections than it may, and all questions get their answer", async () => {
    const { pool, opened } = world("a");
    const answers = await Promise.all(Array.from({ length: 20 }, () => pool.query(SQL, [])));
    expect(answers).toHaveLength(20);
    expect(opened).toEqual(["a", "a"]);
  });

  test("asks the next server what the first one cannot answer any more, without the client's noticing", async () => {
    const { pool, down } = world("a", "b");
    await pool.query(SQL, []);
    down.add("a");
    expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]);
  });

  test("leaves a server alone that failed, and goes back when its time is over", async () => {
    const { pool, down, opened, pass } = world("a", "b");
    down.add("a");
    await pool.query(SQL, []);
    down.delete("a");
    await pool.query(SQL, []);
    expect(opened).toEqual(["a", "b"]);
    pass(501);
    expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]); // while a is tried beside it
    await new Promise((resolve) => setTimeout(resolve));
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    expect(pool.servers.map(({ connections }) => connections)).toEqual([1, 0]);
  });

  test("waits twice as long after each failure, 30 seconds at most", async () => {
    const { pool, down, opened, pass } = world("a", "b");
    down.add("a");
    const gaps: number[] = [];
    for (let ms = 0, last = 0; ms < 120_000; ms += 250) {
      await pool.query(SQL, []);
      await new Promise((resolve) => setImmediate(resolve));
      if (opened.filter((name) => name === "a").length > gaps.length) {
        gaps.push(ms - last);
        last = ms;
      }
      pass(250);
    }
    expect(gaps).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test("tries all of them again each half second when none is left", async () => {
    const { pool, down, pass } = world("a", "b");
    for (const name of ["a", "b"]) down.add(name);
    for (let i = 0; i < 10; i++) {
      await expect(pool.query(SQL, [])).rejects.toThrow(Unavailable);
      pass(501);
    }
    down.delete("b");
    expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]);
  });

  test("blames no server for a statement that is wrong", async () => {
    const { pool, opened } = world("a", "b");
    await expect(pool.query(SQL, ["wrong"])).rejects.toThrow("no such table");
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    expect(opened).toEqual(["a"]);
  });
});

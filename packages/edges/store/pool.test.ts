import { type Database, statements, Unavailable } from "@qmail-mysql/database";
import { Trouble } from "@qmail-mysql/trouble";
import { describe, expect, test } from "vitest";
import type { PoolServer } from "./connections.ts";
import { openPool } from "./pool.ts";

const SQL = statements.showGrants;

/** Servers that are up, down or silent by name; each row contains the name of the server. */
function world(...names: string[]) {
  const down = new Set<string>();
  const silent = new Set<string>();
  const given = new Set<() => void>();
  const opened: string[] = [];
  let clock = 0;
  const silence = (name: string) =>
    new Promise<never>((_, reject) => {
      given.add(() => reject(new Unavailable(`${name} is silent`)));
    });
  const list: PoolServer[] = names.map((name) => ({
    name,
    open: async () => {
      opened.push(name);
      if (down.has(name)) throw new Unavailable(`${name} is down`);
      if (silent.has(name)) return silence(name);
      return {
        query: async (_: unknown, [value]: readonly unknown[]) => {
          if (down.has(name)) throw new Unavailable(`${name} went down`);
          if (silent.has(name) || value === "slow") return silence(name);
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
    silent,
    pass: (ms: number) => {
      clock += ms;
    },
    /** Advances the time; questions to a silent server time out. */
    giveUp: async (ms = 1000) => {
      await settled();
      clock += ms;
      const all = [...given];
      given.clear();
      for (const one of all) one();
      await settled();
    },
    pool: openPool(list, 2, 5000, () => clock),
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("a pool", () => {
  test("uses the first server, over and over on one connection", async () => {
    const { pool, opened } = world("a", "b");
    for (let i = 0; i < 5; i++) expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    expect(opened).toEqual(["a"]);
  });

  test("opens at most the maximum of connections, and all questions get a response", async () => {
    const { pool, opened } = world("a");
    const answers = await Promise.all(Array.from({ length: 20 }, () => pool.query(SQL, [])));
    expect(answers).toHaveLength(20);
    expect(opened).toEqual(["a", "a"]);
  });

  test("repeats a question on the next server if the first one fails, without an error for the caller", async () => {
    const { pool, down } = world("a", "b");
    await pool.query(SQL, []);
    down.add("a");
    expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]);
  });

  test("does not use a server that failed until its time is over", async () => {
    const { pool, down, opened, pass } = world("a", "b");
    down.add("a");
    await pool.query(SQL, []);
    down.delete("a");
    await pool.query(SQL, []);
    expect(opened).toEqual(["a", "b"]);
    pass(501);
    expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]); // while a is being retried
    await settled();
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    expect(pool.servers.map(({ connections }) => connections)).toEqual([1, 0]);
  });

  test("waits twice as long after each failure, 4 seconds at most", async () => {
    const { pool, down, opened, pass } = world("a", "b");
    down.add("a");
    const gaps: number[] = [];
    for (let ms = 0, last = 0; ms < 20_000; ms += 250) {
      await pool.query(SQL, []);
      await new Promise((resolve) => setImmediate(resolve));
      if (opened.filter((name) => name === "a").length > gaps.length) {
        gaps.push(ms - last);
        last = ms;
      }
      pass(250);
    }
    expect(gaps).toEqual([0, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
  });

  test("retries all servers every half second if none is available", async () => {
    const { pool, down, pass } = world("a", "b");
    for (const name of ["a", "b"]) down.add(name);
    for (let i = 0; i < 10; i++) {
      await expect(pool.query(SQL, [])).rejects.toThrow(Unavailable);
      pass(501);
    }
    down.delete("b");
    expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]);
  });

  test("does not count a wrong statement as a failure of the server", async () => {
    const { pool, opened } = world("a", "b");
    await expect(pool.query(SQL, ["wrong"])).rejects.toThrow("no such table");
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    expect(opened).toEqual(["a"]);
  });

  test("counts concurrent failures once", async () => {
    const { pool, down, pass } = world("a", "b");
    down.add("a");
    await Promise.all([pool.query(SQL, []), pool.query(SQL, [])]);
    expect(pool.servers[0]?.failures).toBe(1);
    down.delete("a");
    pass(501);
    await pool.query(SQL, []);
    await settled();
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
  });

  test("drops all connections of a server that does not respond, and no other question waits for it", async () => {
    const { pool, silent, giveUp, pass } = world("a", "b");
    await Promise.all([pool.query(SQL, []), pool.query(SQL, [])]);
    pass(1000);
    silent.add("a");
    const first = pool.query(SQL, []);
    await giveUp();
    expect(await first).toEqual([{ name: "b" }]);
    for (let i = 0; i < 20; i++) {
      expect(await pool.query(SQL, [])).toEqual([{ name: "b" }]);
      pass(400); // meanwhile it is retried
    }
  });

  test("uses a server that did not respond again after it has been available for 10 seconds", async () => {
    const { pool, silent, giveUp, pass } = world("a", "b");
    silent.add("a");
    const first = pool.query(SQL, []);
    await giveUp();
    await first;
    silent.delete("a");
    const answers: unknown[] = [];
    for (let seconds = 0; seconds < 12; seconds++) {
      pass(1000);
      const [row] = await pool.query(SQL, []);
      answers.push(row?.name);
      await settled();
    }
    expect(answers).toEqual([..."bbbbbbbbbbb", "a"]);
  });

  test("does not count a slow question as a failure of a server that responds to others, and asks another server", async () => {
    const { pool, giveUp, pass } = world("a", "b");
    const slow = pool.query(SQL, ["slow"]).catch((error: Error) => error.message);
    await settled();
    pass(900);
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
    await giveUp(100);
    await giveUp();
    expect(await slow).toBe("b is silent");
    expect(pool.servers[0]?.failures).toBe(0);
    expect(await pool.query(SQL, [])).toEqual([{ name: "a" }]);
  });

  test("passes the place of a failed connect to a waiting question", async () => {
    const { pool, silent, giveUp } = world("a", "b");
    for (const name of ["a", "b"]) silent.add(name);
    const all = Array.from({ length: 4 }, () => pool.query(SQL, []).catch((error: Error) => error.message));
    for (let i = 0; i < 8; i++) await giveUp();
    expect((await Promise.all(all)).every((answer) => typeof answer === "string")).toBe(true);
  });
});

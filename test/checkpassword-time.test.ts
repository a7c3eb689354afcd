import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sqlite } from "./lib/databases.ts";
import { run } from "./lib/program.ts";
import { isRoot, makeWorld } from "./lib/world.ts";

const UID = 64800;
const ROUNDS = 21;

const median = (times: readonly number[]) =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

describe.skipIf(!isRoot)("the time of a refusal does not tell whether the login exists", () => {
  test.each([
    ["Password", "plain", "secret"],
    ["Crypt-Password", "$6$", execFileSync("mkpasswd", ["-m", "sha512crypt", "-R", "50000", "secret"])],
    ["Crypt-Password", "bcrypt", execFileSync("mkpasswd", ["-m", "bcrypt", "-R", "9", "secret"])],
  ])("%s %s", async (type, name, stored) => {
    const world = makeWorld();
    try {
      const home = world.user("iain", UID);
      sqlite
        .prepare(world)
        .sql(
          ["first", "iain", "last"]
            .map(
              (user) =>
                `INSERT INTO mailbox VALUES ('${user}', ${UID}, ${UID}, '${home}', '${`${stored}`.trim()}', '${type}', 'N');`,
            )
            .join("\n"),
        );
      const times = { wrong: [] as number[], unknown: [] as number[], right: [] as number[] };
      const logins = { wrong: "iain\0wrong\0", unknown: "nobody-has-it\0wrong\0", right: "iain\0secret\0" };
      for (let i = 0; i < ROUNDS; i++) {
        for (const who of ["wrong", "unknown", "right"] as const) {
          const { ms, code } = await run("checkpassword", ["/bin/true"], {
            fd3: logins[who],
            env: world.env,
          });
          expect(code).toBe(who === "right" ? 0 : 1);
          times[who].push(ms);
        }
      }
      const ratio = median(times.unknown) / median(times.wrong);
      if (process.env.SHOW_TIMES) {
        console.log(
          name,
          Object.entries(times).map(([who, ms]) => `${who} ${median(ms).toFixed(2)}`),
        );
      }
      expect(ratio).toBeGreaterThan(0.6);
      expect(ratio).toBeLessThan(1.6);
    } finally {
      world.remove();
    }
  });
});

import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const ROUNDS = 15;

describe.skipIf(!isRoot)("the time of a refusal does not tell whether the login exists or is locked", () => {
  test.each([
    ["Password", []],
    ["Crypt-Password", ["-m", "sha512crypt", "-R", "50000"]],
    ["Crypt-Password", ["-m", "bcrypt", "-R", "9"]],
  ])("%s %j", async (type, method) => {
    const hash = () =>
      execFileSync("mkpasswd", [...method, "secret"])
        .toString()
        .trim();
    const stored = method.length > 0 ? hash() : "secret";
    const world = makeWorld();
    try {
      const home = world.user("iain", UID);
      const { sql } = sqlite.prepare(world);
      for (const user of ["first", "iain", "last"]) {
        sql(mailboxRow({ name: user, uid: UID, home: home, password: stored, type: type }));
      }
      sql(mailboxRow({ name: "locked", uid: UID, home: home, password: "!", type: "Crypt-Password" }));
      const times: Record<string, number[]> = { iain: [], stranger: [], locked: [] };
      for (let i = 0; i < ROUNDS; i++) {
        for (const [login, measured] of Object.entries(times)) {
          const how = { fd3: `${login}\0wrong\0x\0`, env: world.env };
          const { ms, code } = await run("checkpassword", ["/bin/true"], how);
          expect(code).toBe(1);
          measured.push(ms);
        }
      }
      // The shortest of each: a busy machine only ever adds.
      const [known = 0, ...others] = Object.values(times).map((measured) => Math.min(...measured));
      for (const other of others) {
        expect(other / known).toBeGreaterThan(0.6);
        expect(other / known).toBeLessThan(1.6);
      }
    } finally {
      world.remove();
    }
  });
});

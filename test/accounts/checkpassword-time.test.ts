import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;
const ROUNDS = 15;

/** The shortest time of a refusal for each login, in milliseconds: a busy machine only ever adds. */
async function shortest(world: World, logins: readonly string[]): Promise<number[]> {
  const measured = logins.map((): number[] => []);
  for (let i = 0; i < ROUNDS; i++) {
    for (const [n, login] of logins.entries()) {
      const how = { fd3: `${login}\0wrong\0x\0`, env: world.env };
      const { ms, code } = await run("checkpassword", ["/bin/true"], how);
      expect(code).toBe(1);
      measured[n]?.push(ms);
    }
  }
  return measured.map((times) => Math.min(...times));
}

function expectAlike([known = 0, ...others]: readonly number[]): void {
  for (const other of others) {
    expect(other / known).toBeGreaterThan(0.6);
    expect(other / known).toBeLessThan(1.6);
  }
}

const hashed = (method: readonly string[]) =>
  execFileSync("mkpasswd", [...method, "secret"])
    .toString()
    .trim();

describe.skipIf(!isRoot)("the time of a refusal does not tell whether the login exists or is locked", () => {
  test.each([
    ["Password", []],
    ["Crypt-Password", ["-m", "sha512crypt", "-R", "50000"]],
    ["Crypt-Password", ["-m", "bcrypt", "-R", "9"]],
  ])("%s %j", async (type, method) => {
    const stored = method.length > 0 ? hashed(method) : "secret";
    const world = makeWorld();
    try {
      const home = world.user("iain", UID);
      const { sql } = sqlite.prepare(world);
      for (const user of ["first", "iain", "last"]) {
        sql(mailboxRow({ name: user, uid: UID, home: home, password: stored, type: type }));
      }
      sql(mailboxRow({ name: "locked", uid: UID, home: home, password: "!", type: "Crypt-Password" }));
      expectAlike(await shortest(world, ["iain", "stranger", "locked"]));
    } finally {
      world.remove();
    }
  });

  test("nor when the first mailboxes of the table are locked or have no password", async () => {
    const world = makeWorld();
    try {
      const home = world.user("iain", UID);
      const { sql } = sqlite.prepare(world);
      const first = {
        "!": "Crypt-Password",
        "*LK*": "Crypt-Password",
        "{CRYPT}*": "Crypt-Password",
        "": "Password",
      };
      for (const [password, type] of Object.entries(first)) {
        sql(mailboxRow({ name: `a${type}${password}`, uid: UID, home, password, type }));
      }
      const password = hashed(["-m", "sha512crypt", "-R", "50000"]);
      sql(mailboxRow({ name: "iain", uid: UID, home, password, type: "Crypt-Password" }));
      expectAlike(await shortest(world, ["iain", "stranger"]));
    } finally {
      world.remove();
    }
  });
});

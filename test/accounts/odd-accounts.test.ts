import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { makeQueue, type RunningLspawn, startLspawn } from "../lib/lspawn.ts";
import { BIN, run, visible } from "../lib/program.ts";
import { isRoot, makeMaildir, makeWorld } from "../lib/world.ts";

const UID = 64830;
const LSPAWN = join(import.meta.dirname, "../lib/as-lspawn.py");

// System accounts whose names or homes other programs take for something else: stock qmail-getpw asks getpwnam(3).
describe.skipIf(!isRoot)("system accounts", () => {
  const world = makeWorld();
  const passwd = join(world.home, "passwd");
  const home = join(world.home, "../home");
  const homes: Record<string, string> = {
    "20231234": `${home}/digits`,
    "1-1": `${home}/one`,
    "j\xf6rg": `${home}/j\xf6rg`, // no UTF-8
  };
  const wrap = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c"];
  const within = [...wrap, 'mount --bind "$0" /etc/passwd && exec "$@"', passwd];
  let lspawn: RunningLspawn;
  beforeAll(() => {
    sqlite.prepare(world);
    makeQueue(world);
    let text = readFileSync("/etc/passwd", "latin1");
    mkdirSync(home);
    for (const [name, dir] of Object.entries(homes)) {
      const bytes = Buffer.from(dir, "latin1");
      mkdirSync(bytes);
      const maildir = join(home, `maildir-of-${UID}`);
      makeMaildir(maildir, UID, UID);
      chownSync(bytes, UID, UID);
      writeFileSync(Buffer.from(`${dir}/.qmail-x`, "latin1"), `${maildir}/\n`);
      text += `${name}:x:${UID}:${UID}::${dir}:/bin/sh\n`;
    }
    writeFileSync(passwd, text, "latin1");
    lspawn = startLspawn(world, "./Mailbox", 1, within);
  });
  afterAll(async () => {
    expect(await lspawn.end()).toBe(0);
    world.remove();
  });

  const raw = (bytes: string) => `raw:${Buffer.from(bytes, "latin1").toString("hex")}`;

  test.each(Object.keys(homes))("%j is found by qmail-getpw", async (name) => {
    const args = [...within.slice(1), "/usr/bin/python3", LSPAWN, join(BIN, "qmail-getpw"), raw(`${name}-x`)];
    const got = await run("/usr/bin/unshare", args, { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([0, `${name}|${UID}|${UID}|${homes[name]}|-|x|`]);
  });

  test.each(Object.keys(homes))("%j gets mail from qmail-lspawn, in its home", async (name) => {
    expect(await lspawn.deliver(`${name}@h.example`)).toBe("Kdid 1+0+0\n");
    expect(readFileSync(Buffer.from(`${homes[name]}/Mailbox`, "latin1"), "latin1")).toMatch(/^From /);
    expect(await lspawn.deliver(`${name}-x@h.example`)).toBe("Kdid 1+0+0\n");
  });

  test("a number that is the uid of an account, but not a name, belongs to alias", async () => {
    const got = await run("qmail-getpw", [String(UID)], { env: world.env });
    expect([got.code, visible(got.stdout).split("|").slice(4)]).toEqual([0, ["-", String(UID), ""]]);
    expect(readdirSync(join(home, `maildir-of-${UID}`, "new"))).toHaveLength(3);
  });
});

import { chownSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { ENDINGS, FILES, POP3D, POPUP } from "../lib/pop3-sessions.ts";
import { BIN, run } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const { STOCK_QMAIL } = process.env;
/** Ours; and the stock programs whose answers these are, when there are any. */
const HOMES: [string, string][] = [["ours", BIN]];
if (STOCK_QMAIL) HOMES.push(["stock", join(STOCK_QMAIL, "bin")]);

const world = makeWorld();
const home = world.user("joe", UID);
const maildir = join(home, "Maildir");
afterAll(() => world.remove());

const files = () =>
  ["cur", "new"].flatMap((dir) =>
    readdirSync(join(maildir, dir))
      .map((name) => `${dir}/${name}`)
      .sort(),
  );

describe.each(HOMES)("qmail-pop3d (%s)", (_, bin) => {
  beforeEach(() => {
    for (const dir of ["new", "cur"]) {
      rmSync(join(maildir, dir), { recursive: true });
      mkdirSync(join(maildir, dir));
      if (isRoot) chownSync(join(maildir, dir), UID, UID);
    }
    Object.entries(FILES).forEach(([name, text], i) => {
      writeFileSync(join(maildir, name), text, "latin1");
      if (isRoot) chownSync(join(maildir, name), UID, UID);
      utimesSync(join(maildir, name), 1_500_000_000 + i, 1_500_000_000 + i);
    });
  });

  test.each(POP3D)("%j", async (input, expected, after) => {
    const before = files();
    const got = await run(join(bin, "qmail-pop3d"), ["Maildir"], {
      cwd: home,
      env: world.env,
      input,
      ...(isRoot && { uid: UID }),
    });
    expect([got.code, got.stderr, got.stdout]).toEqual([0, "", `+OK \r\n${expected}`]);
    expect(files()).toEqual(after === undefined ? before : after.split(" "));
  });
});

describe.each(HOMES)("qmail-popup (%s)", (whose, bin) => {
  const popup = async (input: string, script: string) => {
    const got = await run(join(bin, "qmail-popup"), ["host", "sh", "-c", script], { env: world.env, input });
    return [got.code, got.stderr, got.stdout.replaceAll(/[0-9]+\.[0-9]+@host/g, "PID.TIME@host")];
  };

  test.each(POPUP)("%j", async (input, expected) => {
    expect(await popup(input, "tr '\\0' '|' <&3")).toEqual([1, "", expected]);
  });

  test.each(ENDINGS)("a subprogram that does: %s", async (script, stock, ours = stock) => {
    const expected = whose === "ours" ? ours : stock;
    // the stock program prints "unable to write pipe" to a subprogram that ends before it has been written to
    const reading = `cat <&3 >/dev/null; ${script}`;
    expect(await popup("USER a\r\nPASS b\r\n", reading)).toEqual([1, "", expected]);
  });

  test("is told how to be used", async () => {
    for (const args of [[], ["host"]]) {
      const got = await run(join(bin, "qmail-popup"), args, { env: world.env, input: "" });
      expect([got.code, got.stdout]).toEqual([1, "-ERR usage: popup hostname subprogram\r\n"]);
    }
  });
});

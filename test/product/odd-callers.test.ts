import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { BIN, run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// What a program inherits or finds around it, and did not choose.

describe.skipIf(!isRoot)("a caller", () => {
  const world = makeWorld();
  const { env } = world;
  const home = world.user("iain", 64800, 64100);
  beforeAll(() => {
    const { sql } = sqlite.prepare(world, "timeout 1\n");
    sql(mailboxRow({ name: "iain", uid: 64800, home: home, gid: 64100, password: "secret" }));
  });
  afterAll(() => world.remove());

  const IGNORING = ["--ignore-signal=CHLD"];

  test("that ignores SIGCHLD: qmail-getpw finds system accounts", async () => {
    const { code, stdout } = await run("/usr/bin/env", [...IGNORING, `${BIN}/qmail-getpw`, "joe"], { env });
    expect([code, visible(stdout)]).toEqual([0, expect.stringMatching(/^joe\|64020\|64020\|/)]);
  });

  test("that ignores SIGCHLD: checkpassword lets them in", async () => {
    const args = [...IGNORING, `${BIN}/checkpassword`, "/usr/bin/id", "-u"];
    const { code, stdout } = await run("/usr/bin/env", args, { env, fd3: "joe\0system\0x\0" });
    expect([code, stdout]).toEqual([0, "64020\n"]);
  });

  test("that ignores SIGCHLD: qmail-popup knows how its subprogram ended", async () => {
    const args = [...IGNORING, `${BIN}/qmail-popup`, "host", "/bin/true"];
    const { stdout, stderr } = await run("/usr/bin/env", args, { env, input: "USER x\r\nPASS y\r\n" });
    expect([stdout, stderr]).toEqual([expect.not.stringContaining("-ERR"), ""]);
  });

  test.each(["qmail-getpw iain", "qmail-mysql user list"])(
    "whose disk is full: %s says so",
    async (command) => {
      const { code, stderr } = await run("/bin/sh", ["-c", `exec ${BIN}/${command} >/dev/full`], { env });
      expect(code).toBe(command.startsWith("qmail-getpw") ? 118 : 111);
      expect(stderr).toMatch(/fatal: unable to write to descriptor 1: out of disk space\n$/);
    },
  );

  test.each([
    ["qmail-getpw joe", 118],
    ["checkpassword /bin/true", 111],
  ])("whose name service hangs and heeds no SIGTERM: %s ends in time", async (command, expected) => {
    const getent = join(world.home, "getent");
    writeFileSync(getent, "#!/bin/sh\ntrap '' TERM\nsleep 5\nsleep 5\n");
    chmodSync(getent, 0o755);
    // In a separate mount namespace, since other tests use the real one.
    const script = `mount --bind ${getent} /usr/bin/getent && exec ${BIN}/${command}`;
    const how = { env: { ...env, PATH: "/usr/bin:/bin" }, fd3: "joe\0system\0x\0" };
    const { code, stderr, ms } = await run("/usr/bin/unshare", ["-m", "sh", "-c", script], how);
    expect([code, stderr]).toEqual([
      expected,
      expect.stringMatching(/fatal: unable to run \/usr\/bin\/getent: timed out\n$/),
    ]);
    expect(ms).toBeLessThan(4000);
  });
});

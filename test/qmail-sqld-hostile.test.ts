import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket } from "./lib/databases.ts";
import { run } from "./lib/program.ts";
import { figure, type RunningSqld, startSqld } from "./lib/sqld.ts";
import { isRoot, makeWorld } from "./lib/world.ts";

const UID = 64800;
const HOSTILE = 64999; // a local user who wishes the others ill
const QMAILP = 64013; // with-accounts.sh

describe.skipIf(!isRoot)("a hostile local user", () => {
  const world = makeWorld();
  const home = world.user("joe", UID);
  const storm = join(tmpdir(), `storm-${process.pid}`);
  let sqld: RunningSqld;
  beforeAll(() => {
    const { sql } = overSocket.prepare(world);
    sql(`INSERT INTO mailbox VALUES ('joe', ${UID}, ${UID}, '${home}', 'secret', 'Password', 'N')`);
    execFileSync("gcc", ["-O2", "-o", storm, join(import.meta.dirname, "lib/storm.c")]);
    sqld = startSqld(world);
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
    rmSync(storm, { force: true });
  });

  test.each([1, 400])("who connects without end, %d connections open, is felt by nobody", async (hold) => {
    const resident = connect(sqld.socket);
    let closed = false;
    resident.on("close", () => {
      closed = true;
    });
    await new Promise((resolve) => resident.once("connect", resolve));
    const storms = [1, 2].map(() =>
      spawn(storm, [sqld.socket, `${hold}`, "60"], { uid: HOSTILE, gid: HOSTILE, cwd: "/" }),
    );
    await expect.poll(() => figure(sqld.socket, "clients_refused").catch(() => 0)).toBeGreaterThan(1000);
    const outcomes: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      const login = run("checkpassword", ["/bin/true"], { env: world.env, fd3: "joe\0secret\0\0" });
      const getpw = run("qmail-getpw", ["joe"], { env: world.env, uid: QMAILP });
      for (const { code, stderr } of await Promise.all([login, getpw])) outcomes.push([code, stderr]);
    }
    const stats = await run("qmail-sqld", ["stats"], { env: world.env }); // does not wait in connect(2)
    for (const one of storms) one.kill("SIGKILL");
    expect(outcomes).toEqual(Array(20).fill([0, ""]));
    expect([stats.code, stats.stderr]).toEqual([0, ""]);
    expect(closed).toBe(false);
    resident.destroy();
  });
});

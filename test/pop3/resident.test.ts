import { chownSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { talk } from "../lib/pop-server.ts";
import { startPopd } from "../lib/popd.ts";
import { mailboxRow } from "../lib/rows.ts";
import type { Server } from "../lib/server.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;
const REFUSED = "-ERR [AUTH] authorization failed\r\n";

describe.skipIf(!isRoot)("qmail-popd", () => {
  const world = makeWorld();
  const home = world.user("iain", UID, GID);
  let server: Server;
  beforeAll(async () => {
    const message = join(home, "Maildir/new/1");
    writeFileSync(message, "Subject: hello\n\nbody\n");
    chownSync(message, UID, GID);
    utimesSync(message, 1_500_000_000, 1_500_000_000);
    sqlite.prepare(world).sql(mailboxRow({ name: "iain", uid: UID, home, gid: GID, password: "a secret" }));
    startSqld(world);
    server = await startPopd(world);
  });
  afterAll(async () => {
    console.log(server?.log());
    await server?.stop("SIGKILL");
    world.remove();
  });

  const session = async (user: string, password: string, rest = "RETR 1\r\nQUIT\r\n") => {
    const got = await talk(server.port, [`USER ${user}\r\nPASS ${password}\r\n${rest}`]);
    return got.replace(/^\+OK <[^>]*>\r\n\+OK \r\n/, "");
  };

  test("the right password, the mail", async () => {
    expect(await session("iain", "a secret")).toBe(
      "+OK \r\n+OK \r\nSubject: hello\r\n\r\nbody\r\n\r\n.\r\n+OK \r\n",
    );
  });

  test.each([
    ["iain", "a  secret"],
    ["nobody-here", "a secret"],
  ])("%s, %s: refused", async (user, password) => {
    expect(await session(user, password)).toBe(REFUSED);
  });
});

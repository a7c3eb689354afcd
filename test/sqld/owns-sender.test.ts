import { openOwnsSender } from "@qmail-mysql/authenticate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket, throughSqld } from "../lib/databases.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;

describe.skipIf(!isRoot).each([overSocket, throughSqld])("whose sender it is, with $name", ({ prepare }) => {
  const world = makeWorld();
  beforeAll(() => {
    const { sql } = prepare(world);
    sql(
      [
        mailboxRow({ name: "iain", uid: UID, home: "/nonexistent" }),
        mailboxRow({ name: "ann", uid: UID, home: "/nonexistent", suspended: "Y" }),
        "INSERT INTO `virtual` VALUES ('iain', '', 'sales', 'virtual.com'), ('ann', '', '', 'catch.com');",
        "INSERT INTO alias (username, alias, alias_username, alias_host) VALUES ('alias', 'info', 'iain', 'here.example');",
      ].join("\n"),
    );
    world.control("me", "here.example\n");
    world.control("virtualdomains", "virtual.com:virtual.com\ncatch.com:catch.com\n");
  });
  afterAll(() => world.remove());

  test.each([
    ["iain", "iain@here.example", true],
    ["iain", "IAIN-list@Here.Example", true],
    ["iain", "sales@virtual.com", true],
    ["sales@virtual.com", "iain@here.example", true],
    ["iain", "info@here.example", true],
    ["ann", "info@here.example", false],
    ["ann", "anybody@catch.com", true],
    ["iain", "anybody@catch.com", false],
    ["iain", "other@virtual.com", false],
    ["iain", "iain@elsewhere.example", false],
    ["joe", "joe@here.example", true], // a system account
    ["iain", "joe@here.example", false],
    ["iain", "iain@here.example\0", false],
  ])("%j sends as %j: %s", async (login, sender, owns) => {
    expect(await openOwnsSender(world.home, "qmail-smtpd")(login, sender)).toEqual({ owns });
  });

  test("trouble is neither", async () => {
    world.control("sqld", "/nonexistent\n");
    expect(await openOwnsSender(world.home, "qmail-smtpd")("iain", "iain@here.example")).toEqual({
      trouble: expect.stringMatching(/^unable to ask qmail-sqld at \/nonexistent: /),
    });
  });
});

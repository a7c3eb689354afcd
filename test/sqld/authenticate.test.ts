import { authenticateBySqld } from "@qmail-mysql/authenticate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overSocket } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const ATTEMPT = {
  mechanism: "PLAIN",
  login: "iain",
  password: "secret",
  challenge: "",
  service: "submission",
  client: { address: "192.0.2.1", port: "587" },
  environment: [],
} as const;

describe.skipIf(!isRoot)("AUTH through qmail-sqld", () => {
  const world = makeWorld();
  const check = authenticateBySqld(world.home, "qmail-smtpd");
  const { sql } = overSocket.prepare(world);
  let sqld: RunningSqld;
  beforeAll(async () => {
    const home = world.user("iain", UID);
    const hash = (await run("/usr/bin/mkpasswd", ["-m", "sha-512", "secret"])).stdout.trim();
    sql(
      [
        mailboxRow({ name: "iain", uid: UID, home, password: "secret" }),
        mailboxRow({ name: "hashed", uid: UID, home, password: hash, type: "Crypt-Password" }),
        "INSERT INTO `virtual` VALUES ('iain', '', 'sales', 'virtual.com');",
      ].join("\n"),
    );
  });
  afterAll(async () => {
    await sqld?.stop();
    world.remove();
  });
  const lines = () => sqld.said().split("\n").slice(0, -1);

  test("without control/sqld a login cannot be checked", async () => {
    expect(await check(ATTEMPT)).toEqual({
      trouble: "unable to check a login: neither control/sqld nor a checkpassword program is given",
    });
  });

  test("the mailbox of a login, and why it is refused", async () => {
    sqld = startSqld(world);
    expect(await check(ATTEMPT)).toEqual({ accepted: { login: "iain", user: "iain" } });
    expect(await check({ ...ATTEMPT, login: "sales@Virtual.COM" })).toEqual({
      accepted: { login: "sales@Virtual.COM", user: "iain" },
    });
    expect(await check({ ...ATTEMPT, password: "guess" })).toEqual({ refused: "wrong password" });
    expect(await check({ ...ATTEMPT, login: "nobody-here" })).toEqual({ refused: "unknown" });
    expect(await check({ ...ATTEMPT, login: "x\0iain" })).toEqual({ refused: "wrong password" });
    expect(lines()).toEqual([
      "qmail-sqld: login: verdict=accepted service=submission address=192.0.2.1 uid=0 user=iain why=-",
      "qmail-sqld: login: verdict=accepted service=submission address=192.0.2.1 uid=0 user=sales@virtual.com why=-",
      "qmail-sqld: login: verdict=refused service=submission address=192.0.2.1 uid=0 user=iain why=wrong_password",
      "qmail-sqld: login: verdict=refused service=submission address=192.0.2.1 uid=0 user=nobody-here why=unknown",
    ]);
  });

  // RFC 2195, 2: the response of its example, to the challenge of its example, with the secret of its example.
  test("CRAM-MD5 for a stored clear password, and not for a hash", async () => {
    sql("UPDATE mailbox SET password = 'tanstaaftanstaaf' WHERE username = 'iain'");
    const cram = {
      ...ATTEMPT,
      mechanism: "CRAM-MD5",
      challenge: "<1896.697170952@postoffice.reston.mci.net>",
      password: "b913a602c7eda7a495b4e6e7334d3890",
    } as const;
    expect(await check(cram)).toEqual({ accepted: { login: "iain", user: "iain" } });
    expect(await check({ ...cram, challenge: "<1897.697170952@postoffice.reston.mci.net>" })).toEqual({
      refused: "wrong password",
    });
    expect(await check({ ...cram, login: "hashed" })).toEqual({ refused: "wrong password" });
    expect(await check({ ...ATTEMPT, login: "hashed" })).toHaveProperty("accepted");
  });

  test("a qmail-sqld that has ended is trouble, and the next one is used", async () => {
    await sqld.stop();
    expect(await check(ATTEMPT)).toEqual({ trouble: expect.stringMatching(/^unable to ask qmail-sqld at /) });
    sqld = startSqld(world);
    expect(await check({ ...ATTEMPT, login: "hashed" })).toHaveProperty("accepted");
  });
});

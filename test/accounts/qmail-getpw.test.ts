import { chmodSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALIAS, NOFILES, QMAILP, TO_ALIAS } from "../lib/accounts.ts";
import { backendsAndSqld, sqlite } from "../lib/databases.ts";
import { BIN, run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const LSPAWN = join(import.meta.dirname, "../lib/as-lspawn.py");
const UID = 64800;
const GID = 64100;
const HOMES = process.env.TEST_HOMES;

describe.skipIf(!isRoot).each(backendsAndSqld)("qmail-getpw over $name", ({ prepare }) => {
  const world = makeWorld();
  const iain = world.user("iain", UID, GID);
  const sanity = world.user("sanity", UID, GID);
  beforeAll(() => {
    const { sql } = prepare(world, "home_mismatch alias\n");
    sql(`${mailboxRow({ name: "iain", uid: UID, home: iain, gid: GID, password: "****" })}
      ${mailboxRow({ name: "iain-sanity", uid: UID, home: sanity, gid: GID, password: "****" })}
      ${mailboxRow({ name: "Upper", uid: UID, home: iain, gid: GID })}
      ${mailboxRow({ name: "homeless", uid: UID, home: "/nonexistent", gid: GID })}
      ${mailboxRow({ name: "stranger", uid: UID + 1, home: iain, gid: GID })}
      ${mailboxRow({ name: "zero", uid: 0, home: "/root" })}
      ${mailboxRow({ name: "wheel", uid: UID, home: iain, gid: 0 })}
      ${mailboxRow({ name: "box@virtual.com", uid: UID, home: iain, gid: GID, suspended: "Y" })}
      ${mailboxRow({ name: "long".repeat(30), uid: UID, home: iain, gid: GID })}
      INSERT INTO mailbox (username, uid, gid, home, password, password_type)
        VALUES ('cpan', ${UID}, ${GID}, '${iain}', 'secret', 'Password');`);
  });
  afterAll(() => world.remove());

  const mine = (user: string, dash = "", ext = "", home = iain) =>
    `${user}|${UID}|${GID}|${home}|${dash}|${ext}|`;

  test.each([
    // the FAQ's example; for iain-sanity it prints the row's own name
    ["iain", mine("iain")],
    ["iain-sanity", mine("iain-sanity", "", "", sanity)],
    ["iain-slowlaris", mine("iain", "-", "slowlaris")],
    ["alias", `alias|${ALIAS}|${NOFILES}|${HOMES}/alias|||`],
    // stock qmail-getpw's rules
    ["IAIN", mine("iain")],
    ["Iain-Foo", mine("iain", "-", "Foo")],
    ["iain-", mine("iain", "-", "")],
    ["iain--x", mine("iain", "-", "-x")],
    ["iain-sanity-x", mine("iain-sanity", "-", "x", sanity)],
    ["iain-sanityx", mine("iain", "-", "sanityx")],
    ["root", `${TO_ALIAS}root|`],
    ["", `${TO_ALIAS}|`],
    ["-", `${TO_ALIAS}-|`],
    ["-x", `${TO_ALIAS}-x|`],
    ["iain.foo", `${TO_ALIAS}iain.foo|`],
    ["64020", `${TO_ALIAS}64020|`],
    // no row: the system's accounts
    ["joe", `joe|64020|64020|${HOMES}/joe|||`],
    ["JOE-Foo", `joe|64020|64020|${HOMES}/joe|-|Foo|`],
    ["joe-sub-x", `joe-sub|64021|64021|${HOMES}/joe-sub|-|x|`],
    ["joe-subx", `joe|64020|64020|${HOMES}/joe|-|subx|`],
    // rows as they are found in the wild
    ["upper", mine("Upper")],
    ["cpan", mine("cpan")],
    ["box@virtual.com", mine("box@virtual.com")],
    ["long".repeat(30), mine("long".repeat(30))],
    // no neighbour's: collations fold accents, Unicode folds the Kelvin sign
    ["ia\xc3\xadn", `${TO_ALIAS}ia\xc3\xadn|`],
    ["iain ", `${TO_ALIAS}iain |`],
    // rows that are not used
    ["homeless", `${TO_ALIAS}homeless|`],
    ["stranger", `${TO_ALIAS}stranger|`],
    ["zero", `${TO_ALIAS}zero|`],
    ["wheel", `${TO_ALIAS}wheel|`],
  ])("%s -> %s", async (local, expected) => {
    const got = await run("qmail-getpw", [Buffer.from(local, "latin1").toString()], { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([0, expected]);
  });

  test("the FAQ's check: setuidgid qmailp bin/qmail-getpw alias", async () => {
    const got = await run("/usr/bin/setuidgid", ["qmailp", join(BIN, "qmail-getpw"), "alias"], {
      env: world.env,
    });
    expect([got.code, visible(got.stdout)]).toEqual([0, `alias|${ALIAS}|${NOFILES}|${HOMES}/alias|||`]);
  });

  test("works as stock qmail-lspawn runs it, and leaves the command pipe alone", async () => {
    const got = await run("/usr/bin/python3", [LSPAWN, join(BIN, "qmail-getpw"), "iain-x"], {
      env: world.env,
    });
    expect([got.code, visible(got.stdout)]).toEqual([0, mine("iain", "-", "x")]);
  });

  test("logs why a row is not used", async () => {
    const { stderr } = await run("qmail-getpw", ["stranger"], { env: world.env });
    expect(stderr).toBe(
      `qmail-getpw: warning: mailbox row "stranger" is not used: home ${iain} is owned by uid ${UID}, not by its uid ${UID + 1}\n`,
    );
  });
});

describe.skipIf(!isRoot)("qmail-getpw", () => {
  const world = makeWorld();
  afterAll(() => world.remove());

  test("without an argument: 100 and nothing printed", async () => {
    const got = await run("qmail-getpw", [], { env: world.env });
    expect([got.code, got.stdout, got.stderr]).toEqual([100, "", "qmail-getpw: usage: qmail-getpw local\n"]);
  });

  test("that may not read control/sqlserver: 118", async () => {
    chmodSync(world.control("sqlserver", "login qmail\n"), 0o600);
    const got = await run("qmail-getpw", ["iain"], { env: world.env, uid: QMAILP, gid: NOFILES });
    expect([got.code, got.stdout]).toEqual([118, ""]);
    expect(got.stderr).toMatch(/unable to read .*control\/sqlserver: access denied\n$/);
  });

  const fresh = () => {
    rmSync(join(world.home, "users/mail.db"), { force: true });
    return world;
  };

  test.each([
    ["home_mismatch alias\n", 0, `${TO_ALIAS}lost|`],
    ["home_mismatch defer\n", 118, ""],
    ["", 118, ""], // a disk that is not mounted bounces nothing
  ])("%j: a home that does not exist exits %i", async (choice, code, expected) => {
    const { sql } = sqlite.prepare(fresh(), choice);
    sql(mailboxRow({ name: "lost", uid: 64800, home: "/nonexistent", gid: 64100 }));
    const got = await run("qmail-getpw", ["lost"], { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([code, expected]);
  });

  test.each(["alias", "defer"])(
    "home_mismatch %s: a home that qmailp cannot see exits 118",
    async (choice) => {
      const { sql } = sqlite.prepare(fresh(), `home_mismatch ${choice}\n`);
      const home = world.user("closed/unseen", UID, GID);
      chmodSync(dirname(home), 0o700);
      sql(mailboxRow({ name: "unseen", uid: UID, home: home, gid: GID }));
      const got = await run("qmail-getpw", ["unseen-x"], { env: world.env, uid: QMAILP, gid: NOFILES });
      expect([got.code, got.stdout, got.stderr]).toEqual([
        118,
        "",
        `qmail-getpw: fatal: unable to stat home ${home} of mailbox row "unseen": access denied\n`,
      ]);
    },
  );

  test.each([
    ["deliver", 0],
    ["defer", 118],
    ["bounce", 100],
  ])("suspended_mail %s exits %i", async (choice, code) => {
    const { sql } = sqlite.prepare(fresh(), `suspended_mail ${choice}\n`);
    const home = world.user("held", UID, GID);
    sql(mailboxRow({ name: "held", uid: UID, home: home, gid: GID, suspended: "Y" }));
    const got = await run("qmail-getpw", ["held-x"], { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([
      code,
      code === 0 ? `held|${UID}|${GID}|${home}|-|x|` : "",
    ]);
  });

  test("a row that cannot be meant is trouble, and named", async () => {
    const { sql } = sqlite.prepare(fresh());
    sql(mailboxRow({ name: "odd", uid: 64800, home: "relative/home", gid: 64100 }));
    const got = await run("qmail-getpw", ["odd"], { env: world.env });
    expect([got.code, got.stderr]).toEqual([
      118,
      'qmail-getpw: fatal: MySQL misconfiguration: mailbox row "odd": home: expected an absolute path\n',
    ]);
  });

  test("addresses of any bytes get an answer, and only their own", async () => {
    sqlite.prepare(fresh());
    const raw = "\xff\xfe-\x01 %27' OR 1=1 --\\";
    const got = await run(
      "/usr/bin/python3",
      [LSPAWN, join(BIN, "qmail-getpw"), `raw:${Buffer.from(raw, "latin1").toString("hex")}`],
      {
        env: world.env,
      },
    );
    expect([got.code, visible(got.stdout)]).toEqual([0, `${TO_ALIAS}${raw}|`]);
  });

  test("a local part of 900 break characters is answered within a second", async () => {
    sqlite.prepare(fresh());
    const got = await run("qmail-getpw", ["-".repeat(900)], { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([0, `${TO_ALIAS}${"-".repeat(900)}|`]);
    expect(got.ms).toBeLessThan(1000);
  });
});

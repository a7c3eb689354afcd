import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backends } from "./lib/databases.ts";
import { run, visible } from "./lib/program.ts";
import { isRoot, makeWorld } from "./lib/world.ts";

const UID = 64800;
const GID = 64100;
const HOMES = process.env.TEST_HOMES;
const ALIAS = `alias|64010|64001|${HOMES}/alias|-|`;

describe.skipIf(!isRoot).each(backends)("qmail-getpw over $name", ({ prepare }) => {
  const world = makeWorld();
  const [iain, sanity] = ["iain", "sanity"].map((name) => world.user(name, UID, GID));
  beforeAll(() => {
    const { sql } = prepare(world);
    sql(`INSERT INTO mailbox VALUES
      ('iain', ${UID}, ${GID}, '${iain}', '****', 'Password', 'N'),
      ('iain-sanity', ${UID}, ${GID}, '${sanity}', '****', 'Password', 'N'),
      ('Upper', ${UID}, ${GID}, '${iain}', '', 'Password', 'N'),
      ('homeless', ${UID}, ${GID}, '/nonexistent', '', 'Password', 'N'),
      ('stranger', ${UID + 1}, ${GID}, '${iain}', '', 'Password', 'N'),
      ('zero', 0, 0, '/root', '', 'Password', 'N'),
      ('box@virtual.com', ${UID}, ${GID}, '${iain}', '', 'Password', 'Y'),
      ('${"long".repeat(30)}', ${UID}, ${GID}, '${iain}', '', 'Password', 'N');
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
    ["alias", `alias|64010|64001|${HOMES}/alias|||`],
    // stock qmail-getpw's rules
    ["IAIN", mine("iain")],
    ["Iain-Foo", mine("iain", "-", "Foo")],
    ["iain-", mine("iain", "-", "")],
    ["iain--x", mine("iain", "-", "-x")],
    ["iain-sanity-x", mine("iain-sanity", "-", "x", sanity)],
    ["iain-sanityx", mine("iain", "-", "sanityx")],
    ["root", `${ALIAS}root|`],
    ["", `${ALIAS}|`],
    ["-", `${ALIAS}-|`],
    ["-x", `${ALIAS}-x|`],
    ["iain.foo", `${ALIAS}iain.foo|`],
    ["64020", `${ALIAS}64020|`],
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
    ["ia\xc3\xadn", `${ALIAS}ia\xc3\xadn|`],
    ["iain ", `${ALIAS}iain |`],
    // rows that are not used
    ["homeless", `${ALIAS}homeless|`],
    ["stranger", `${ALIAS}stranger|`],
    ["zero", `${ALIAS}zero|`],
  ])("%s -> %s", async (local, expected) => {
    const got = await run("qmail-getpw", [Buffer.from(local, "latin1").toString()], { env: world.env });
    expect([got.code, visible(got.stdout)]).toEqual([0, expected]);
  });

  test("says why a row is not used", async () => {
    const { stderr } = await run("qmail-getpw", ["stranger"], { env: world.env });
    expect(stderr).toBe(
      `qmail-getpw: warning: mailbox row "stranger" is not used: home ${iain} is owned by uid ${UID}, not by its uid ${UID + 1}\n`,
    );
  });
});

import { chmodSync, chownSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES } from "../lib/accounts.ts";
import { backends, overSocket, sqlite } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;

const admin = (world: World, ...args: string[]) => run("qmail-mysql", args, { env: world.env });

async function ok(world: World, ...args: string[]): Promise<string> {
  const got = await admin(world, ...args);
  expect([args, got.code, got.stderr.match(/fatal.*/)?.[0]]).toEqual([args, 0, undefined]);
  return got.stdout;
}

async function listed(world: World, ...args: string[]): Promise<Record<string, unknown>[]> {
  return JSON.parse(await ok(world, ...args, "--json")) as Record<string, unknown>[];
}

/** A qmail home whose files are in order; what the tables of the FAQ need of it. */
function inOrder(world: World): void {
  world.control("me", "h.example\n");
  world.control("locals", "h.example\n");
  world.control("rcpthosts", "h.example\nvirtual.com\nsillydomain.com\n");
  world.control("virtualdomains", "virtual.com:virtual.com\nsillydomain.com:sillydomain.com\n");
}

describe.each(backends)("domain, virtual, alias over $name", ({ prepare }) => {
  const world = makeWorld();
  let sql: (text: string) => string;
  beforeAll(() => {
    ({ sql } = prepare(world));
  });
  afterAll(() => world.remove());

  test("domain: add, list, del", async () => {
    await ok(world, "domain", "add", "Virtual.COM");
    await ok(world, "domain", "add", ".wide.example");
    expect(sql("SELECT host FROM rcpthosts ORDER BY host")).toBe(".wide.example\nvirtual.com\n");
    await ok(world, "virtual", "add", "@virtual.com", "iain");
    expect(await listed(world, "domain", "list")).toEqual([
      { host: ".wide.example", accepted: true, addresses: 0, catch_all: false },
      { host: "virtual.com", accepted: true, addresses: 1, catch_all: true },
    ]);
    await ok(world, "domain", "del", ".WIDE.example");
    const last = await admin(world, "domain", "del", "virtual.com");
    expect([last.code, last.stderr]).toEqual([
      0,
      expect.stringContaining("still has addresses of virtual.com"),
    ]);
    expect(sql("SELECT COUNT(*) FROM rcpthosts").trim()).toBe("0");
    await ok(world, "virtual", "del", "@virtual.com");
  });

  test("virtual: the FAQ's rows", async () => {
    await ok(world, "virtual", "add", "@virtual.com", "virtual", "--ext", "@");
    await ok(world, "virtual", "add", "User@virtual.com", "forward");
    await ok(world, "virtual", "add", "m@virtual.com", "forward", "--ext", "popaccount@hotmail.com");
    expect(await listed(world, "virtual", "list", "virtual.com")).toEqual([
      { username: "virtual", ext: "@", virtual_username: "", virtual_host: "virtual.com" },
      {
        username: "forward",
        ext: "popaccount@hotmail.com",
        virtual_username: "m",
        virtual_host: "virtual.com",
      },
      { username: "forward", ext: "", virtual_username: "user", virtual_host: "virtual.com" },
    ]);
    expect(await listed(world, "virtual", "list", "other.com")).toEqual([]);
    await ok(world, "virtual", "del", "m@virtual.com");
    expect(await listed(world, "virtual", "list")).toHaveLength(2);
  });

  test("alias: a delivery instruction has its first character alone", async () => {
    for (const [ext, line] of [
      ["", "/home/iain/Mailbox"],
      ["slowlaris", "./Maildir/"],
      ["prog", "|exit 99"],
      ["lists", "joe@example.com"],
      ["lists", "&ann"],
    ] as const) {
      await ok(world, "alias", "add", "iain", ext, line);
    }
    expect(await listed(world, "alias", "list", "IAIN")).toEqual([
      { username: "iain", alias: "", alias_username: "/", alias_host: "home/iain/Mailbox" },
      { username: "iain", alias: "lists", alias_username: "joe", alias_host: "example.com" },
      { username: "iain", alias: "lists", alias_username: "ann", alias_host: "" },
      { username: "iain", alias: "prog", alias_username: "|", alias_host: "exit 99" },
      { username: "iain", alias: "slowlaris", alias_username: ".", alias_host: "/Maildir/" },
    ]);
    await ok(world, "alias", "del", "iain", "lists", "ann");
    await ok(world, "alias", "del", "iain", "prog");
    expect(await listed(world, "alias", "list")).toHaveLength(3);
  });

  test("two rows that only the database takes for equal are not deleted together", async () => {
    sql("INSERT INTO alias VALUES ('iain', 'caf\u00e9', 'a', 'x.org'), ('iain', 'cafe', 'a', 'x.org')");
    const got = await admin(world, "alias", "del", "iain", "cafe");
    const left = sql("SELECT COUNT(*) FROM alias WHERE alias_username = 'a'").trim();
    expect([got.code, left]).toEqual(
      sql("SELECT 'cafe' = 'caf\u00e9'").trim() === "1" ? [100, "2"] : [0, "1"],
    );
  });

  test.each([
    [["domain", "add", "a b"], 'HOST "a b": expected a domain'],
    [["domain", "add", "a@b"], "expected a domain"],
    [["domain", "add", ""], "expected a domain"],
    [["domain", "del", "nowhere.com"], 'no domain "nowhere.com"'],
    [["virtual", "add", "nobody", "iain"], 'ADDRESS "nobody": expected'],
    [["virtual", "add", "a\nb@x.org", "iain"], "ADDRESS: expected no line end"],
    [["virtual", "add", "user@virtual.com", "somebody"], 'belongs to "forward" already'],
    [["virtual", "add", "x@virtual.com", ""], "NAME: expected"],
    [["virtual", "del", "nobody@virtual.com"], "no virtual address"],
    [["alias", "add", "iain", "", ""], "INSTRUCTION"],
    [["alias", "add", "iain", "", "."], "expected something after the ."],
    [["alias", "add", "iain", "", "#comment"], "expected ./Maildir/"],
    [["alias", "add", "iain", "", "@example.com"], "expected an address"],
    [["alias", "add", "iain", "", "Maildir/"], "expected ./Maildir/ for a Maildir below the home"],
    [
      ["alias", "add", "iain", "", "a@b.c, d@e.f"],
      "expected one address; several go with a command for each",
    ],
    [["alias", "add", "iain", "slowlaris", "./Maildir/"], "exists"],
    [["alias", "del", "iain", "nothing"], "no such alias"],
    [["trace", ""], "ADDRESS: expected"],
    [["trace", `${"a".repeat(900)}@x`], "at most 900 bytes"],
  ])("%j is refused with 100 and a reason", async (args, expected) => {
    const tables = () => sql("SELECT * FROM alias; SELECT * FROM `virtual`; SELECT * FROM rcpthosts;");
    const before = tables();
    const got = await admin(world, ...args);
    expect([got.code, got.stdout]).toEqual([100, ""]);
    expect(got.stderr).toContain(expected);
    expect(tables()).toBe(before);
  });
});

test("rows of old tables with SQL's NULL can be deleted", async () => {
  const world = makeWorld();
  const { sql } = overSocket.prepare(world);
  sql("ALTER TABLE alias MODIFY alias_host varchar(255)");
  sql("INSERT INTO alias VALUES ('old', 'x', 'joe', NULL)");
  await ok(world, "alias", "del", "old", "x");
  expect(sql("SELECT COUNT(*) FROM alias").trim()).toBe("0");
  world.remove();
});

describe("funky queries", () => {
  test("the catch-all is spelt %", async () => {
    const world = makeWorld();
    const { sql } = sqlite.prepare(world, "funky_queries yes\n");
    await ok(world, "virtual", "add", "@virtual.com", "iain");
    expect(sql("SELECT virtual_username FROM virtual").trim()).toBe("%");
    await ok(world, "virtual", "del", "@virtual.com");
    world.remove();
  });
});

describe.skipIf(!isRoot).each(backends)("trace over $name", ({ prepare }) => {
  const world = makeWorld();
  const iain = world.user("iain", UID, GID);
  const virtual = world.user("virtual", UID, GID);
  const sanity = world.user("sanity", UID, GID);
  beforeAll(() => {
    inOrder(world);
    const { sql } = prepare(world, "magic_forwarding yes\nhome_mismatch alias\n");
    sql(`${mailboxRow({ name: "iain", uid: UID, home: iain, gid: GID })}
      ${mailboxRow({ name: "iain-sanity", uid: UID, home: sanity, gid: GID })}
      ${mailboxRow({ name: "stranger", uid: UID + 1, home: iain, gid: GID })}
      ${mailboxRow({ name: "virtual", uid: UID, home: virtual, gid: GID })}
      INSERT INTO alias VALUES ('iain', 'slowlaris', '.', '/Maildir/'), ('iain', 'both', 'a', 'x.org'),
        ('iain', 'both', '.', '/Maildir/'), ('iain', 'blank', '', ''), ('virtual', '@', '.', '/Maildir/'),
        ('alias', 'cpan@h.example', 'iain', 'h.example');
      INSERT INTO \`virtual\` VALUES ('virtual', '@', '', 'virtual.com'), ('iain', '', 'sales', 'sillydomain.com'),
        ('forward', 'popaccount@hotmail.com', 'user', 'virtual.com'), ('', '', 'bad', 'virtual.com');`);
    writeFileSync(join(iain, ".qmail-list-default"), "# list\n|cat >/dev/null\nann@example.com\n");
    writeFileSync(join(iain, ".qmail-open"), "./Maildir/\n");
    chmodSync(join(iain ?? "", ".qmail-open"), 0o666);
  });
  afterAll(() => world.remove());

  const DEFAULT = ["mbox ./Mailbox"];
  test.each<[string, string, readonly string[], string]>([
    // address, outcome, instructions, what decided in the end
    ["iain@h.example", "delivered", DEFAULT, "no alias row and no .qmail file: the default delivery"],
    ["iain", "delivered", DEFAULT, "no alias row and no .qmail file: the default delivery"],
    ["iain-sanity@h.example", "delivered", DEFAULT, "no alias row and no .qmail file: the default delivery"],
    [
      "iain-slowlaris@h.example",
      "delivered",
      ["maildir ./Maildir/"],
      'alias row ("iain", "slowlaris", ".", "/Maildir/")',
    ],
    [
      "iain-both@h.example",
      "delivered",
      ["maildir ./Maildir/", "forward a@x.org"],
      'alias row ("iain", "both", ".", "/Maildir/")',
    ],
    [
      "iain-list-x@h.example",
      "delivered",
      ["program cat >/dev/null", "forward ann@example.com"],
      "/.qmail-list-default",
    ],
    ["iain-nothing@h.example", "bounces", [], "Sorry, no mailbox here by that name. (#5.1.1)"],
    ["iain-blank@h.example", "waits", [], "MySQL misconfiguration: alias row"],
    ["iain-open@h.example", "waits", [], "Uh-oh: .qmail file is writable. (#4.7.0)"],
    ["nobody-here@h.example", "bounces", [], "Sorry, no mailbox here by that name. (#5.1.1)"],
    [
      "cpan@h.example",
      "delivered",
      ["forward iain@h.example"],
      'alias row ("alias", "cpan@h.example", "iain", "h.example")',
    ],
    ["stranger@h.example", "bounces", [], "Sorry, no mailbox here by that name. (#5.1.1)"],
    [
      "anything@virtual.com",
      "delivered",
      ["maildir ./Maildir/"],
      'alias row ("virtual", "@", ".", "/Maildir/")',
    ],
    ["user@virtual.com", "delivered", ["forward popaccount@hotmail.com"], "magic forwarding"],
    ["bad@virtual.com", "waits", [], "MySQL misconfiguration: virtual row"],
    ["SALES@SillyDomain.com", "delivered", DEFAULT, "no alias row and no .qmail file: the default delivery"],
    ["info@sillydomain.com", "bounces", [], "Sorry, no mailbox here by that name. (#5.1.1)"],
    ["x@elsewhere.com", "remote", [], "the rest is for clients that may relay"],
  ])("%s: %s", async (address, outcome, instructions, decided) => {
    const got = JSON.parse(await ok(world, "trace", address, "--json"));
    const last = got.steps.at(-1);
    expect([got.outcome, got.instructions]).toEqual([outcome, instructions]);
    expect(`${last.decision} ${last.by}`).toContain(decided);
    expect(got.accepted).toBe(!address.includes("elsewhere"));
  });

  test.each([
    "iain",
    "IAIN-SlowLaris",
    "iain-both",
    "iain-list-x",
    "iain-nothing",
    "iain-blank",
    "iain-open",
    "iain-sanity",
    "nobody-here",
    "stranger",
    "virtual-anything",
    "joe",
    "forward-a@b.com",
    "jos\u00e9",
  ])("%s: what qmail-getpw and qmail-local -n say themselves", async (local) => {
    const got = JSON.parse(await ok(world, "trace", `${local}@h.example`, "--json"));
    const owner = await run("qmail-getpw", [local], { env: world.env });
    expect(owner.code).toBe(0);
    const [user = "", uid, , home = "", dash = "", ext = ""] = owner.stdout.split("\0").map(text);
    const operands = [user, home, local, dash, ext, "h.example", "", "./Mailbox"];
    const asked = await run("qmail-local", ["-n", "--", ...operands], { env: world.env });
    const said =
      asked.code === 0 ? asked.stdout.split("\n").filter((line) => /^[a-z]+ [^+]*$/.test(line)) : [];
    const outcome = asked.code === 0 ? "delivered" : asked.code === 100 ? "bounces" : "waits";
    expect([got.outcome, got.instructions]).toEqual([
      outcome,
      said.filter((line) => !line.startsWith("did ")),
    ]);
    expect(JSON.stringify(got.steps)).toContain(`user ${user}, uid ${uid}`);
  });

  test("every stage is named, with the row or file that decided", async () => {
    expect(await ok(world, "trace", "sales@sillydomain.com")).toBe(`\
qmail-smtpd  accepts it
             by control/rcpthosts: sillydomain.com
recipient    deliverable
             by virtual row ("iain", "", "sales", "sillydomain.com"); mailbox row "iain"
qmail-send   local, as sillydomain.com-sales@sillydomain.com
             by control/virtualdomains: sillydomain.com:sillydomain.com
qmail-getpw  user iain, uid ${UID}, gid ${GID}, home ${iain}, extension none
             by virtual row ("iain", "", "sales", "sillydomain.com"); mailbox row "iain"
qmail-local  mbox ./Mailbox
             by no alias row and no .qmail file: the default delivery
so           delivered as above
`);
  });

  test("it reports why a mailbox row is not used", async () => {
    const got = JSON.parse(await ok(world, "trace", "stranger@h.example", "--json"));
    expect(JSON.stringify(got.steps)).toContain(`is owned by uid ${UID}, not by its uid ${UID + 1}`);
  });

  test("nothing is delivered", () => {
    for (const home of [iain, virtual]) expect(readdirSync(join(home ?? "", "Maildir/new"))).toEqual([]);
    expect(readdirSync(iain ?? "")).not.toContain("Mailbox");
  });
});

describe.skipIf(!isRoot)("check", () => {
  /** A world without a fault, and the problems it has after `spoil`. */
  async function problems(
    spoil: (world: World, sql: (text: string) => string, iain: string) => void,
    { prepare, extra = "" }: { prepare: typeof sqlite.prepare; extra?: string } = sqlite,
  ): Promise<{ what: string; problem: string; fix: string }[]> {
    const world = makeWorld();
    try {
      inOrder(world);
      world.control("virtualdomains", "virtual.com:virtual.com\n");
      world.control("rcpthosts", "h.example\nvirtual.com\n");
      const iain = world.user("iain", UID, GID);
      const { sql } = prepare(world, extra);
      const file = join(world.home, "users/mail.db");
      if (prepare === sqlite.prepare) {
        chmodSync(file, 0o640);
        chownSync(file, 0, NOFILES);
      }
      sql(`${mailboxRow({ name: "iain", uid: UID, home: iain, gid: GID, password: "x" })}
        INSERT INTO alias VALUES ('iain', 'x', '.', '/Maildir/');
        INSERT INTO \`virtual\` VALUES ('iain', '', 'sales', 'virtual.com'), ('iain', 'x', 'info', 'virtual.com');
        INSERT INTO rcpthosts VALUES ('virtual.com');`);
      spoil(world, sql, iain);
      const got = await admin(world, "check", "--json");
      const found = JSON.parse(got.stdout || "[]");
      expect([got.code, got.stderr]).toEqual([found.length > 0 ? 100 : 0, ""]);
      for (const { fix } of found) expect(fix).not.toBe("");
      return found;
    } finally {
      world.remove();
    }
  }

  test("nothing is wrong: 0", async () => {
    expect(await problems(() => {})).toEqual([]);
  });

  const insert = (text: string) => (_: World, sql: (t: string) => string) => void sql(`INSERT INTO ${text}`);
  test.each<[string, Parameters<typeof problems>[0], string, RegExp]>([
    // the FAQ's
    [
      "alias without a user",
      insert("alias VALUES ('', 'x', '.', '/Maildir/')"),
      'alias row ("", "x"',
      /has no username/,
    ],
    [
      "blank alias row",
      insert("alias VALUES ('iain', '', '', '')"),
      'alias row ("iain", "", "", "")',
      /is blank/,
    ],
    [
      "Maildir in one column",
      insert("alias VALUES ('iain', '', './Maildir/', '')"),
      "alias row",
      /alone in alias_username/,
    ],
    [
      "virtual row without a user",
      insert("`virtual` VALUES ('', '', 'x', 'virtual.com')"),
      'virtual row ("", "", "x"',
      /has no username/,
    ],
    [
      "a catch-all without its alias",
      insert("`virtual` VALUES ('iain', '@', '', 'virtual.com')"),
      "virtual row",
      /no alias and no .qmail file for "@": its mail bounces/,
    ],
    [
      "the blank alias of before 1.1.2",
      insert(
        "`virtual` VALUES ('iain', '@', '', 'virtual.com'); INSERT INTO alias VALUES ('iain', '', '.', '/Maildir/')",
      ),
      "virtual row",
      /of before qmail\/MySQL 1\.1\.2/,
    ],
    [
      "a home of another uid",
      (_, sql) => void sql("UPDATE mailbox SET uid = 64801"),
      'mailbox "iain"',
      /is owned by uid 64800, not by its uid 64801/,
    ],
    [
      "a missing home",
      insert(`mailbox VALUES ('gone', ${UID}, ${GID}, '/nonexistent', '', 'Password', 'N')`),
      'mailbox "gone"',
      /file does not exist/,
    ],
    [
      "uid 0",
      insert("mailbox VALUES ('zero', 0, 0, '/root', '', 'Password', 'N')"),
      'mailbox "zero"',
      /uid is 0/,
    ],
    [
      "a wrong password_type",
      (_, sql) => void sql("PRAGMA ignore_check_constraints = 1; UPDATE mailbox SET password_type = 'Crypt'"),
      'mailbox "iain"',
      /password_type "Crypt" is unknown/,
    ],
    [
      "a pattern without funky queries",
      insert("`virtual` VALUES ('iain', '', '%', 'virtual.com')"),
      "virtual row",
      /funky_queries is off/,
    ],
    [
      "magic forwarding switched off",
      insert("`virtual` VALUES ('forward', 'a@b.com', 'm', 'virtual.com')"),
      "virtual row",
      /magic forwarding, which is off/,
    ],
    // and more
    [
      "an alias nobody can reach",
      insert("alias VALUES ('nobody-here', '', 'a', 'b.com')"),
      "alias row",
      /nobody can reach it/,
    ],
    [
      "a virtual user nobody is",
      insert("`virtual` VALUES ('typo', '', 't', 'virtual.com')"),
      "virtual row",
      /no mailbox or account "typo"/,
    ],
    [
      "an address given to two",
      insert("`virtual` VALUES ('iain', 'x', 'SALES', 'virtual.com')"),
      "virtual row",
      /gives sales@virtual.com to somebody else/,
    ],
    [
      "a loop across tables",
      insert(
        "alias VALUES ('iain', 'l', 'm', 'virtual.com'); INSERT INTO `virtual` VALUES ('iain', 'l', 'm', 'virtual.com')",
      ),
      "m@virtual.com",
      /forwarded in a loop: m@virtual.com -> m@virtual.com/,
    ],
    [
      "a longer loop",
      insert(
        "alias VALUES ('iain', 'a', 'iain-b', 'h.example'), ('iain', 'b', 'iain-c', ''), ('iain', 'c', 'iain-a', 'h.example')",
      ),
      "iain",
      /forwarded in a loop: iain-/,
    ],
    [
      "a virtual host nobody may write to",
      insert("`virtual` VALUES ('iain', '', 'x', 'new.com')"),
      "virtual host new.com",
      /mail from outside is refused|not in control\/virtualdomains/,
    ],
    [
      "a virtual host among the locals",
      (world) => void world.control("locals", "h.example\nvirtual.com\n"),
      "virtual host virtual.com",
      /is in control\/locals/,
    ],
    [
      "a row of rcpthosts not in the cdb",
      insert("rcpthosts VALUES ('new.com')"),
      'rcpthosts row ("new.com")',
      /not in control\/morercpthosts.cdb/,
    ],
    [
      "no control/rcpthosts",
      (world) => rmSync(join(world.home, "control/rcpthosts")),
      "rcpthosts",
      /relays for everybody/,
    ],
    [
      "no control/me",
      (world) => {
        for (const file of ["me", "locals"]) rmSync(join(world.home, "control", file));
      },
      "control/me",
      /does not exist/,
    ],
    [
      "an unknown key",
      (world) =>
        void world.control("sqlserver", `driver sqlite\ndb ${world.home}/users/mail.db\ncolour blue\n`),
      "sqlserver",
      /line 3: unknown key "colour"/,
    ],
    [
      "a world-readable database",
      (world) => chmodSync(join(world.home, "users/mail.db"), 0o644),
      "mail.db",
      /world-readable/,
    ],
    [
      "a database others can replace",
      (world) => chmodSync(join(world.home, "users"), 0o777),
      "users",
      /others may put another database/,
    ],
    [
      "a file qmailp cannot read",
      (world) => chmodSync(join(world.home, "control/sqlserver"), 0o600),
      "sqlserver",
      /not readable by qmailp/,
    ],
    [
      "control/sqld without a socket",
      (world) => void world.control("sqld", "/nonexistent\n"),
      "control/sqld",
      /no socket/,
    ],
    [
      "a stale cdb",
      (world) => {
        const text = world.control("morercpthosts", "x.com\n");
        writeFileSync(`${text}.cdb`, cdbOfNothing());
        utimesSync(`${text}.cdb`, 1000, 1000);
      },
      "morercpthosts.cdb",
      /is older than control\/morercpthosts/,
    ],
    [
      "a cdb never made",
      (world) => writeFileSync(join(world.home, "users/assign"), ".\n"),
      "users/cdb",
      /was never made/,
    ],
    [
      "a setuid program",
      (world) => {
        writeFileSync(join(world.home, "bin/qmail-mysql"), "");
        chmodSync(join(world.home, "bin/qmail-mysql"), 0o4755);
      },
      "bin/qmail-mysql",
      /setuid/,
    ],
    [
      "a Maildir of another uid",
      (_w, _s, iain) => chownSync(join(iain, "Maildir"), 0, 0),
      'mailbox "iain"',
      /Maildir is owned by uid 0/,
    ],
    [
      "no Maildir",
      (_w, _s, iain) => rmSync(join(iain, "Maildir"), { recursive: true }),
      'mailbox "iain"',
      /this user has no \$HOME\/Maildir/,
    ],
    [
      "a directory above that is closed",
      (_w, _s, iain) => chmodSync(join(iain, ".."), 0o700),
      'mailbox "iain"',
      /home is not searchable by 64800:64100/,
    ],
    ["a home for everybody", (_w, _s, iain) => chmodSync(iain, 0o777), 'mailbox "iain"', /world-writable/],
  ])("%s", async (_, spoil, what, problem) => {
    const found = await problems(spoil);
    const about = found.filter((one) => one.what.includes(what));
    expect([found, about.map((one) => one.problem).join("\n")]).toEqual([
      expect.arrayContaining([expect.anything()]),
      expect.stringMatching(problem),
    ]);
  });

  test("over MariaDB: an account that can write, a world-readable password, missing tables and columns", async () => {
    const found = await problems(
      (_, sql) => void sql("DROP TABLE rcpthosts; ALTER TABLE mailbox DROP COLUMN suspended;"),
      overSocket,
    );
    expect(found.map((one) => `${one.what}: ${one.problem}`).sort()).toEqual([
      expect.stringMatching(/control\/sqlserver: is world-readable/),
      expect.stringMatching(/^database user "qmail": may do more than SELECT: ALL PRIVILEGES/),
      "table mailbox: column suspended does not exist",
      "table rcpthosts: does not exist",
    ]);
  });

  test("the FAQ's fix for catch-alls with funky queries", async () => {
    const found = await problems(insert("`virtual` VALUES ('iain', '', '', 'virtual.com')"), {
      prepare: sqlite.prepare,
      extra: "funky_queries yes\n",
    });
    expect(found.map((one) => one.fix)).toEqual([
      expect.stringMatching(/^sqlite3 .*SET virtual_username='%' WHERE virtual_username=''"$/),
    ]);
  });

  test("a symbolic link that leads nowhere is a missing home", async () => {
    const found = await problems((_w, sql, iain) => {
      symlinkSync("/nonexistent", join(iain, "link"));
      sql(mailboxRow({ name: "l", uid: UID, home: `${iain}/link`, gid: GID }));
    });
    expect(found.map((one) => one.what)).toEqual(['mailbox "l"']);
  });

  test("a database that does not answer is 111", async () => {
    const world = makeWorld();
    inOrder(world);
    world.control("sqlserver", "server /nonexistent\nlogin q\ndb q\n");
    const got = await admin(world, "check");
    expect([got.code, got.stderr]).toEqual([111, expect.stringContaining("unable to connect")]);
    world.remove();
  });
});

const text = (bytes: string): string => Buffer.from(bytes, "latin1").toString();

/** cdb(5): no records: each of the 256 tables is empty and begins at the end of the header. */
function cdbOfNothing(): Buffer {
  const bytes = Buffer.alloc(2048);
  for (let at = 0; at < 2048; at += 8) bytes.writeUInt32LE(2048, at);
  return bytes;
}

import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES } from "../lib/accounts.ts";
import { sqlite } from "../lib/databases.ts";
import { BIN, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// Each misconfiguration in turn on one host that delivers: `check` names it with a fix, the fix is run as it is
// printed, `check` finds nothing any more, and a message is delivered.

const UID = 64800;
const GID = 64100;

interface Host {
  readonly world: World;
  readonly iain: string;
  readonly sql: (text: string) => string;
  readonly env: Readonly<Record<string, string>>;
  path(...parts: string[]): string;
  /** The Maildirs that have got the message; a mbox is named by its file. */
  deliver(address: string): Promise<number>;
}

interface Found {
  readonly what: string;
  readonly problem: string;
  readonly fix: string;
}

/** A host whose qmail-getpw and qmail-local are ours, below a stock qmail-lspawn; SQLite. */
function makeHost(): Host {
  const world = makeWorld();
  const path = (...parts: string[]) => join(world.home, ...parts);
  for (const program of readdirSync(BIN)) {
    if (program !== "qmail-lspawn" && !program.startsWith("."))
      symlinkSync(join(BIN, program), path("bin", program));
  }
  rmSync(path("bin/qmail-mysql"));
  copyFileSync(join(BIN, "qmail-mysql"), path("bin/qmail-mysql"));
  const iain = world.user("iain", UID, GID);
  world.control("me", "h.example\n");
  world.control("locals", "h.example\n");
  world.control("rcpthosts", "h.example\n");
  world.control("defaultdelivery", "./Maildir/\n");
  const { sql } = sqlite.prepare(world);
  const file = path("users/mail.db");
  chmodSync(file, 0o640);
  chownSync(file, 0, NOFILES);
  sql(`${mailboxRow({ name: "iain", uid: UID, home: iain, gid: GID, password: "x" })}
    INSERT INTO alias VALUES ('iain', 'x', '.', '/Maildir/'), ('iain', 'away', 'far', 'remote.example');
    INSERT INTO \`virtual\` VALUES ('iain', '', 'sales', 'virtual.com'), ('iain', 'x', 'info', 'virtual.com');
    INSERT INTO rcpthosts VALUES ('virtual.com');`);
  const env = { ...world.env, PATH: `${BIN}:${process.env.PATH}:/usr/sbin` };
  const message = path("message");
  writeFileSync(message, "Subject: s\n\nbody\n");
  writeFileSync(path("queue.log"), "");
  return {
    world,
    iain,
    sql,
    env,
    path,
    async deliver(local) {
      const input = JSON.stringify({
        homes: join(world.home, "../home"),
        message,
        log: path("queue.log"),
        to: [[local, "h.example"]],
      });
      const chain = join(import.meta.dirname, "../lib/chain.py");
      const got = await run("/usr/bin/python3", [chain, BIN, "./Maildir/"], { env, input });
      expect(got.stderr).toBe("");
      const [result] = JSON.parse(got.stdout);
      return result.landed.filter((to: string) => /Maildir$|New$/.test(to)).length;
    },
  };
}

async function check({ env }: Host): Promise<Found[]> {
  const got = await run("qmail-mysql", ["check", "--json"], { env });
  expect(got.stderr).toBe("");
  return JSON.parse(got.stdout);
}

const said = ({ path }: Host) => readFileSync(path("fix.log"), "latin1").split("\n").slice(-4).join("\n");

/** Runs a fix as root's shell would, and does not wait for a daemon that it starts. */
function runFix(host: Host, fix: string): Promise<number | null> {
  const log = openSync(host.path("fix.log"), "a");
  const child = spawn("/bin/sh", ["-c", fix], { env: host.env, cwd: "/", stdio: ["pipe", log, log] });
  child.stdin?.on("error", () => {}); // a fix need not read it
  child.stdin?.end("a new password\n");
  return new Promise((resolve) => child.on("exit", resolve));
}

type Case = readonly [name: string, inject: (host: Host) => void, what: RegExp, problem: RegExp];

const unchecked = (sql: string) => `PRAGMA ignore_check_constraints = 1; ${sql}`;
const insert = (rows: string) => (host: Host) => void host.sql(`INSERT INTO ${rows}`);

const cases: readonly Case[] = [
  [
    "a missing home",
    ({ iain }) => renameSync(iain, `${iain}.gone`),
    /mailbox "iain"/,
    /home .*: file does not exist/,
  ],
  [
    "a home of another uid",
    ({ iain }) => chownSync(iain, 64801, GID),
    /mailbox "iain"/,
    /is owned by uid 64801/,
  ],
  [
    "a home that everybody may write to",
    ({ iain }) => chmodSync(iain, 0o777),
    /mailbox "iain"/,
    /world-writable/,
  ],
  ["a sticky home", ({ iain }) => chmodSync(iain, 0o1700), /mailbox "iain"/, /sticky/],
  [
    "a home closed to its owner",
    ({ iain }) => chmodSync(iain, 0o000),
    /mailbox "iain"/,
    /closed to its owner/,
  ],
  [
    "a closed directory above",
    ({ iain }) => chmodSync(join(iain, ".."), 0o700),
    /mailbox "iain"/,
    /not searchable by/,
  ],
  [
    "no Maildir",
    ({ iain }) => rmSync(join(iain, "Maildir"), { recursive: true }),
    /mailbox "iain"/,
    /Maildir/,
  ],
  [
    "no Maildir/new",
    ({ iain }) => rmSync(join(iain, "Maildir/new"), { recursive: true }),
    /mailbox "iain"/,
    /Maildir\/new: file does not exist/,
  ],
  [
    "a Maildir of root's",
    ({ iain }) => chownSync(join(iain, "Maildir"), 0, 0),
    /mailbox "iain"/,
    /Maildir is owned by uid 0/,
  ],
  [
    "a Maildir/tmp closed to its owner",
    ({ iain }) => chmodSync(join(iain, "Maildir/tmp"), 0o500),
    /mailbox "iain"/,
    /Maildir\/tmp is closed to its owner/,
  ],
  [
    "a .qmail file of root's",
    ({ iain }) => writeFileSync(join(iain, ".qmail"), "./Maildir/\n", { mode: 0o600 }),
    /mailbox "iain"/,
    /\.qmail is not readable by uid 64800/,
  ],
  [
    "a .qmail file that everybody may write to",
    ({ iain }) => {
      writeFileSync(join(iain, ".qmail-open"), "./Maildir/\n");
      chownSync(join(iain, ".qmail-open"), UID, GID);
      chmodSync(join(iain, ".qmail-open"), 0o666);
    },
    /mailbox "iain"/,
    /\.qmail-open is world-writable/,
  ],
  [
    "a .qmail file to a Maildir that is missing",
    ({ iain }) => {
      rmSync(join(iain, ".qmail"), { force: true });
      writeFileSync(join(iain, ".qmail"), "./New/\n");
      chownSync(join(iain, ".qmail"), UID, GID);
    },
    /mailbox "iain"/,
    /unable to deliver to maildir \.\/New\/: .*file does not exist/,
  ],
  ["uid 0", ({ sql }) => void sql("UPDATE mailbox SET uid = 0"), /mailbox "iain"/, /its uid is 0/],
  ["gid 0", ({ sql }) => void sql("UPDATE mailbox SET gid = 0"), /mailbox "iain"/, /its gid is 0/],
  [
    "a value of suspended that says nothing",
    ({ sql }) => void sql(unchecked("UPDATE mailbox SET suspended = 'maybe'")),
    /mailbox "iain"/,
    /suspended: expected Y or N; its mail waits/,
  ],
  [
    "an unknown password_type",
    ({ sql }) => void sql(unchecked("UPDATE mailbox SET password_type = 'Crypt'")),
    /mailbox "iain"/,
    /password_type "Crypt" is unknown/,
  ],
  [
    "an alias row without a user",
    insert("alias VALUES ('', 'y', '.', '/Maildir/')"),
    /alias row \(""/,
    /has no username/,
  ],
  [
    "a blank alias row",
    insert("alias VALUES ('iain', 'y', '', '')"),
    /alias row \("iain", "y", "", ""\)/,
    /is blank/,
  ],
  [
    "an instruction in one column",
    insert("alias VALUES ('iain', 'y', './Maildir/', '')"),
    /alias row/,
    /alone in alias_username/,
  ],
  [
    "an alias of nobody",
    insert("alias VALUES ('typo', '', '.', '/Maildir/')"),
    /alias row \("typo"/,
    /nobody can reach it/,
  ],
  [
    "an alias to a Maildir that is missing",
    insert("alias VALUES ('iain', 'z', '.', '/Missing/')"),
    /alias row \("iain", "z"/,
    /Missing\/tmp: file does not exist/,
  ],
  [
    "an alias to an mbox in a missing directory",
    insert("alias VALUES ('iain', 'mbox', '.', '/dir/box')"),
    /alias row \("iain", "mbox"/,
    /dir: file does not exist/,
  ],
  [
    "an alias to an mbox of root's",
    (host) => {
      writeFileSync(join(host.iain, "box"), "", { mode: 0o600 });
      insert("alias VALUES ('iain', 'box', '.', '/box')")(host);
    },
    /alias row \("iain", "box"/,
    /box: access denied/,
  ],
  [
    "a program whose place no position says",
    insert("alias VALUES ('iain', 'x', '|', 'true')"),
    /alias row \("iain", "x", "\|", "true"\)/,
    /beside other instructions/,
  ],
  [
    "a loop",
    insert(
      "alias (username, alias, alias_username, alias_host) VALUES ('iain', 'a', 'iain-b', 'h.example'), ('iain', 'b', 'iain-a', 'h.example')",
    ),
    /iain-/,
    /forwarded in a loop/,
  ],
  [
    "a virtual row without a user",
    insert("`virtual` VALUES ('', '', 'v', 'virtual.com')"),
    /virtual row \("", "", "v"/,
    /has no username/,
  ],
  [
    "a virtual row without a host",
    insert("`virtual` VALUES ('iain', '', 'v', '')"),
    /virtual row/,
    /has no virtual_host/,
  ],
  [
    "a virtual row to nobody",
    insert("`virtual` VALUES ('typo', '', 'v', 'virtual.com')"),
    /virtual row \("typo"/,
    /no mailbox or account "typo"/,
  ],
  [
    "a virtual row to an extension without an alias",
    insert("`virtual` VALUES ('iain', 'none', 'v', 'virtual.com')"),
    /virtual row/,
    /no alias and no .qmail file for "none"/,
  ],
  [
    "an address given to two",
    insert("`virtual` VALUES ('iain', 'x', 'sales', 'virtual.com')"),
    /virtual row/,
    /gives sales@virtual.com to somebody else/,
  ],
  [
    "a catch-all as funky queries spell it",
    insert("`virtual` VALUES ('iain', 'x', '%', 'virtual.com')"),
    /virtual row/,
    /funky_queries is off/,
  ],
  [
    "magic forwarding that is off",
    insert("`virtual` VALUES ('forward', 'a@remote.example', 'm', 'virtual.com')"),
    /virtual row \("forward"/,
    /magic forwarding, which is off/,
  ],
  [
    "a virtual host that nobody knows",
    insert("`virtual` VALUES ('iain', '', 'sales', 'new.com')"),
    /virtual host new.com/,
    /not in control\/virtualdomains/,
  ],
  [
    "control/smtpd has an invalid value",
    ({ world }) => void world.control("smtpd", "size yes\nchunking perhaps\n"),
    /control\/smtpd$/,
    /line 2: expected yes or no: qmail-smtpd refuses all mail/,
  ],
  [
    "control/smtpd has an unknown key",
    ({ world }) => void world.control("smtpd", "sizes yes\n"),
    /control\/smtpd$/,
    /line 1: unknown key sizes/,
  ],
  [
    "a host of rcpthosts that is not in the cdb",
    (host) => {
      insert("rcpthosts VALUES ('late.com')")(host);
      host.world.control("locals", "h.example\nlate.com\n");
    },
    /rcpthosts row \("late.com"\)/,
    /not in control\/morercpthosts.cdb/,
  ],
  [
    "a host that is neither local nor virtual any more",
    ({ world }) => void world.control("locals", "h.example\n"),
    /control\/morercpthosts: late.com/,
    /cause bounces to forged senders/,
  ],
  [
    "a host in rcpthosts that is neither local nor virtual",
    ({ world }) => void world.control("rcpthosts", "h.example\nBackup.example\n"),
    /control\/rcpthosts: backup.example/,
    /cause bounces to forged senders/,
  ],
  [
    "virtualdomains edited",
    ({ world }) => void world.control("virtualdomains", "virtual.com:somebody\nnew.com:new.com\n"),
    /virtual host virtual.com/,
    /gives it to "somebody"/,
  ],
  [
    "virtualdomains with a host that is gone",
    ({ world }) =>
      void world.control("virtualdomains", "virtual.com:virtual.com\nnew.com:new.com\nold.com:old.com\n"),
    /virtualdomains line old.com/,
    /has no row in the table/,
  ],
  [
    "a virtual host among the locals",
    ({ world }) => void world.control("locals", "h.example\nvirtual.com\n"),
    /virtual host virtual.com/,
    /is in control\/locals/,
  ],
  [
    "no control/rcpthosts",
    ({ path }) => rmSync(path("control/rcpthosts")),
    /rcpthosts/,
    /relays for everybody/,
  ],
  [
    "no control/me",
    ({ path }) => {
      for (const file of ["me", "locals"]) rmSync(path("control", file));
    },
    /control\/me/,
    /qmail-send does not start/,
  ],
  [
    "a morercpthosts.cdb that is stale",
    ({ path }) => utimesSync(path("control/morercpthosts.cdb"), 1000, 1000),
    /morercpthosts.cdb/,
    /is older than/,
  ],
  [
    "a users/cdb that is damaged",
    ({ path }) => writeFileSync(path("users/cdb"), ""),
    /users\/cdb/,
    /all local mail waits/,
  ],
  [
    "an unknown key",
    ({ path }) => void execFileSync("sh", ["-c", `echo colour blue >>${path("control/sqlserver")}`]),
    /control\/sqlserver/,
    /unknown key "colour"/,
  ],
  [
    "a setuid qmail-mysql",
    ({ path }) => chmodSync(path("bin/qmail-mysql"), 0o4755),
    /bin\/qmail-mysql/,
    /setuid/,
  ],
  [
    "a directory in which the database can be replaced",
    ({ path }) => chmodSync(path("users"), 0o777),
    /users$/,
    /another database/,
  ],
  [
    "control/sql without its table",
    ({ world, sql }) => {
      world.control("sql", "time 1800\n");
      sql("DROP TABLE relay");
    },
    /table relay/,
    /does not exist/,
  ],
  [
    "control/sql with a password that everybody can read",
    ({ world, path }) =>
      void world.control("sql", `driver sqlite\ndatabase ${path("users/mail.db")}\npass secret\n`),
    /control\/sql/,
    /world-readable/,
  ],
  [
    "control/sql with an unknown key",
    ({ world }) => void world.control("sql", "colour blue\n"),
    /control\/sql/,
    /unknown key|colour/,
  ],
];

const ofSqld: readonly Case[] = [
  [
    "control/sqlserver that everybody can read",
    ({ path }) => chmodSync(path("users/mail.db"), 0o604),
    /mail.db/,
    /world-readable/,
  ],
  [
    "control/sqlserver that qmail-sqld cannot read",
    ({ path }) => chownSync(path("control/sqlserver"), 0, 0),
    /control\/sqlserver/,
    /not readable .*qmail-sqld's account/,
  ],
  [
    "a database that qmail-sqld cannot read",
    ({ path }) => chownSync(path("users/mail.db"), 0, 0),
    /mail.db/,
    /not readable .*qmail-sqld's account/,
  ],
  [
    "control/sqld that users cannot read",
    ({ path }) => chmodSync(path("control/sqld"), 0o600),
    /control\/sqld/,
    /control\/sqld is not readable/,
  ],
  [
    "a closed socket directory",
    ({ path }) => chmodSync(path("sqld"), 0o700),
    /control\/sqld/,
    /sqld is not searchable/,
  ],
  [
    "a closed socket",
    ({ path }) => chmodSync(path("sqld/socket"), 0o600),
    /control\/sqld/,
    /socket is not open to uid/,
  ],
  [
    "a qmail-sqld that hangs",
    ({ path }) => void execFileSync("sh", ["-c", `kill -STOP ${listener(path("sqld/socket"))}`]),
    /qmail-sqld/,
    /all mail waits/,
  ],
  [
    "a qmail-sqld that is dead",
    ({ path }) => void execFileSync("sh", ["-c", `kill -KILL ${listener(path("sqld/socket"))}`]),
    /qmail-sqld/,
    /connection refused/,
  ],
  [
    "a socket that is missing",
    ({ path }) => {
      execFileSync("sh", ["-c", `kill -KILL ${listener(path("sqld/socket"))}`]);
      rmSync(path("sqld/socket"));
    },
    /control\/sqld/,
    /is no socket/,
  ],
  [
    "control/sql that qmail-sqld has not read",
    ({ world }) => void world.control("sql", "time 1800\n"),
    /qmail-sqld/,
    /control\/sql did not exist/,
  ],
  [
    "an SQLite directory in which qmail-sqld cannot record logins",
    ({ path }) => chownSync(path("users"), 0, 0),
    /users$/,
    /no login opens the relay/,
  ],
];

/** The process that listens there, according to the kernel. */
function listener(socket: string): string {
  const lines = execFileSync("ss", ["-xlpH"]).toString().split("\n");
  return /pid=(\d+)/.exec(lines.find((line) => line.includes(`${socket} `)) ?? "")?.[1] ?? "";
}

describe.skipIf(!isRoot)("check and its fixes", () => {
  let host: Host;
  beforeAll(async () => {
    host = makeHost();
    await run("rebuild-cdb", ["--overwrite"], { env: host.env });
  });
  afterAll(() => {
    const pid = listener(host.path("sqld/socket"));
    if (pid !== "") process.kill(Number(pid), "SIGKILL");
    host.world.remove();
  });

  async function mends([, inject, what, problem]: Case): Promise<void> {
    inject(host);
    const found = await check(host);
    const about = found.filter((one) => what.test(one.what) && problem.test(one.problem));
    expect(about, JSON.stringify(found)).not.toEqual([]);
    for (const { fix } of found)
      expect([await runFix(host, fix), said(host)]).toEqual([0, expect.anything()]);
    expect(await check(host), JSON.stringify(about)).toEqual([]);
    expect(await host.deliver("iain")).toBe(1);
  }

  test("a level that needs qmail-sqld, without it: users cannot ask, and the fix sets it up", async () => {
    await mends(["", () => {}, /control\/sqlserver/, /qmail-local runs as every user/]);
  });
  test.each(ofSqld)("%s", (...one) => mends(one));
  test.each(cases)("%s", (...one) => mends(one));
});

describe.skipIf(!isRoot)("check and its fixes where qmail-local is a stock one", () => {
  let host: Host;
  beforeAll(async () => {
    host = makeHost();
    host.sql("DELETE FROM alias; DELETE FROM virtual WHERE ext = 'x'");
    rmSync(host.path("bin/qmail-local"));
    copyFileSync("/bin/true", host.path("bin/qmail-local"));
    await run("rebuild-cdb", ["--overwrite"], { env: host.env });
  });
  afterAll(() => host.world.remove());

  const files: readonly Case[] = [
    ["nothing", () => {}, /^$/, /^$/],
    [
      "control/sqlserver of root's",
      ({ path }) => chmodSync(path("control/sqlserver"), 0o600),
      /sqlserver/,
      /not readable by qmailp/,
    ],
    [
      "a database of root's",
      ({ path }) => chmodSync(path("users/mail.db"), 0o600),
      /mail.db/,
      /not readable by qmailp/,
    ],
    [
      "a database that everybody can read",
      ({ path }) => chmodSync(path("users/mail.db"), 0o644),
      /mail.db/,
      /world-readable/,
    ],
    [
      "a closed users/",
      ({ path }) => chmodSync(path("users"), 0o700),
      /sqlserver|mail.db/,
      /not readable by qmailp/,
    ],
  ];
  test.each(files)("%s", async (name, inject, what, problem) => {
    inject(host);
    const found = await check(host);
    const about = found.filter((one) => what.test(one.what) && problem.test(one.problem));
    expect(about.length, JSON.stringify(found)).toBe(name === "nothing" ? 0 : 1);
    for (const { fix } of found)
      expect([await runFix(host, fix), said(host)]).toEqual([0, expect.anything()]);
    expect(await check(host)).toEqual([]);
    const asStock = join(import.meta.dirname, "../lib/as-lspawn.py");
    const getpw = await run("/usr/bin/python3", [asStock, join(BIN, "qmail-getpw"), "iain"], {
      env: host.env,
    });
    expect([getpw.code, getpw.stdout]).toEqual([0, expect.stringContaining(`iain\0${UID}\0`)]);
  });
});

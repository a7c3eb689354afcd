import { execFileSync, spawn } from "node:child_process";
import { on } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { overSocket, sqlite, throughSqld } from "../lib/databases.ts";
import { sqlFile } from "../lib/mariadb.ts";
import { startPostfix } from "../lib/postfix.ts";
import { BIN, run } from "../lib/program.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { unpacked } from "../lib/unpacked.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const UID = 64800;

/** A qmail home with every kind of recipient. */
function makeRecipients(world: World, sql: (text: string) => string): void {
  world.control("me", "h.example\n");
  world.control("rcpthosts", "h.example\nV.com\ncatch.com\nbackup.example\n");
  world.control("virtualdomains", "v.com:v.com\ncatch.com:catch.com\n");
  const homes = ["ann", "off"].map((user, i) => world.user(user, UID + i));
  sql(`INSERT INTO mailbox (username, uid, gid, home, password, suspended) VALUES
      ('ann', ${UID}, ${UID}, '${homes[0]}', '', 'N'), ('off', ${UID + 1}, ${UID + 1}, '${homes[1]}', '', 'Y');
    INSERT INTO alias VALUES ('ann', 'list', 'far', 'remote.example');
    INSERT INTO \`virtual\` VALUES ('ann', '', 'sales', 'v.com'), ('', '', 'wrong', 'v.com'), ('ann', '', '', 'catch.com');`);
}

const VERDICTS = [
  ["ann@h.example", "deliverable"],
  ["ANN@H.Example", "deliverable"],
  ["ann-list@h.example", "deliverable"],
  ["sales@v.com", "deliverable"],
  ["postmaster", "deliverable"],
  ["Postmaster", "deliverable"],
  ["any.body@catch.com", "catch-all"],
  ["nobody@h.example", "unknown"],
  ["buyer@v.com", "unknown"],
  ["@h.example", "unknown"],
  ["", "unknown"],
  ["m\xfcller@v.com", "unknown"],
  ["off@h.example", "disabled"],
  ["ann@elsewhere.example", "not-ours"],
  ["ann@backup.example", "unverifiable"],
  ["wrong@v.com", "trouble"],
] as const;

type Verdict = (typeof VERDICTS)[number][1];

const SUSPENDED = "suspended_mail bounce\n";

describe.skipIf(!isRoot).each([sqlite, overSocket, throughSqld])("qmail-rcptcheck over $name", (backend) => {
  const world = makeWorld();
  const who = { uid: QMAILD, gid: NOFILES };
  beforeAll(() => {
    const { sql } = backend.prepare(world, SUSPENDED);
    makeRecipients(world, sql);
  });
  afterAll(() => world.remove());

  const NO = "550 sorry, no mailbox here by that name. (#5.1.1)";
  const OFF = "550 sorry, that mailbox is disabled. (#5.2.1)";
  const LATER = "451 unable to verify recipient (#4.3.0)";
  const reply: Partial<Record<Verdict, string>> = { unknown: NO, disabled: OFF, trouble: LATER };

  test.each(VERDICTS)("a plug-in of qmail-spp: %j is %s", async (address, verdict) => {
    const env = { ...world.env, SMTPRCPTTO: address, SMTPRCPTHOSTSOK: "1" };
    // Descriptor 0 is closed, as qmail-spp has it; the address is given as bytes.
    const got = await run("/usr/bin/python3", ["-c", BYTES, join(BIN, "qmail-rcptcheck")], { env, ...who });
    const text = reply[verdict];
    expect([got.code, got.stdout]).toEqual([0, text === undefined ? "" : `E${text}\n`]);
    expect(got.stderr !== "").toBe(verdict === "trouble");
  });

  test("a plug-in has no objection to a client that may relay, or to what rcpthosts refuses", async () => {
    for (const more of [{ RELAYCLIENT: "" }, { SMTPRCPTHOSTSOK: "0" }]) {
      const env = { ...world.env, SMTPRCPTTO: "nobody@h.example", ...more };
      expect(await run("qmail-rcptcheck", [], { env, ...who })).toMatchObject({ code: 0, stdout: "" });
    }
  });

  const code = (verdict: Verdict) =>
    verdict === "trouble" ? 111 : verdict === "unknown" || verdict === "disabled" ? 100 : 0;

  test.each(VERDICTS.filter(([address]) => !address.includes("\xfc")))(
    "RCPTCHECK and recipients: %j is %s",
    async (address, verdict) => {
      const env = { ...world.env, SENDER: "s@example.org", RECIPIENT: address };
      // Descriptors 0 and 1 are the SMTP connection: nothing is read from it, and nothing written to it.
      const script = 'qmail_rcptcheck="$1"; "$qmail_rcptcheck"; echo " exit $?"; cat';
      const got = await run("/bin/sh", ["-c", script, "sh", join(BIN, "qmail-rcptcheck")], {
        env,
        input: "DATA\r\n",
        ...who,
      });
      expect(got.stdout).toBe(` exit ${code(verdict)}\nDATA\r\n`);
      const fd3 = `${address}\0\0\0`;
      const asked = await run("qmail-rcptcheck", ["recipients"], { env: world.env, fd3, ...who });
      expect([asked.code, asked.stdout]).toEqual([code(verdict), ""]);
    },
  );

  test("RCPTCHECK where plug-ins of qmail-spp have left their variables", async () => {
    const env = { ...world.env, SMTPRCPTTO: "ann@h.example", RECIPIENT: "nobody@h.example" };
    expect(await run("qmail-rcptcheck", [], { env, ...who })).toMatchObject({ code: 100, stdout: "" });
  });

  test("RCPTCHECK with USE_FD4 is told the reply", async () => {
    const env = { ...world.env, RECIPIENT: "off@h.example", USE_FD4: "1" };
    const got = await run("/bin/sh", ["-c", '"$1" 4>&1', "sh", join(BIN, "qmail-rcptcheck")], {
      env,
      ...who,
    });
    expect([got.code, got.stdout]).toEqual([100, `${OFF}\n`]);
  });

  test("a client that may relay is not checked", async () => {
    const env = { ...world.env, RECIPIENT: "nobody@h.example", RELAYCLIENT: "" };
    expect(await run("qmail-rcptcheck", [], { env, ...who })).toMatchObject({ code: 0 });
  });
});

const BYTES = `import os, sys
os.environb[b"SMTPRCPTTO"] = os.environb[b"SMTPRCPTTO"].decode("utf-8").encode("latin-1")
os.close(0)
os.execv(sys.argv[1], ["qmail-rcptcheck"])`;

describe.skipIf(!isRoot)("qmail-rcptcheck under tcpserver-sql", () => {
  const world = makeWorld();
  const dir = mkdtempSync(join(tmpdir(), "postfix-"));
  const postfix = unpacked("postfix");
  let servers: Server[] = [];
  beforeAll(async () => {
    const { sql } = throughSqld.prepare(world, SUSPENDED);
    makeRecipients(world, sql);
    const args = ["-q", "-H", "-R", "-l0", "127.0.0.1", "0", join(BIN, "qmail-rcptcheck")];
    servers = await Promise.all(
      ["socketmap", "deliverable"].map((how) =>
        startServer("tcpserver-sql", [...args, how], { env: world.env }),
      ),
    );
    mkdirSync(dir, { recursive: true });
    writeFileSync(
      join(dir, "main.cf"),
      "compatibility_level = 3.6\nmail_owner = qmaild\nsetgid_group = qmail\n",
    );
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    rmSync(dir, { recursive: true });
    world.remove();
  });

  // postmap: exit 1 and nothing printed if there is no such key, a message if it cannot tell.
  const said: Record<Verdict, readonly [number, RegExp]> = {
    deliverable: [0, /^deliverable\n$/],
    "catch-all": [0, /^catch-all\n$/],
    unverifiable: [0, /^unverifiable\n$/],
    unknown: [1, /^$/],
    disabled: [1, /^$/],
    "not-ours": [1, /^$/],
    trouble: [1, /MySQL misconfiguration/],
  };
  test.skipIf(postfix === undefined).each(VERDICTS.filter(([key]) => /^[!-~]+$/.test(key)))(
    "Postfix: %j is %s",
    async (address, verdict) => {
      const map = `socketmap:inet:127.0.0.1:${servers[0]?.port}:recipients`;
      const got = await run(`${postfix}/usr/sbin/postmap`, ["-c", dir, "-q", address, map], {
        env: { LD_LIBRARY_PATH: `${postfix}/usr/lib/postfix` },
      });
      const [exit, text] = said[verdict];
      expect([got.code, got.stdout + got.stderr]).toEqual([exit, expect.stringMatching(text)]);
    },
  );

  test.skipIf(postfix === undefined)(
    "Postfix in front of qmail refuses at RCPT what the socketmap does not know",
    async () => {
      const mx = await startPostfix(postfix ?? "", {
        mynetworks: "192.0.2.0/24",
        relay_domains: "h.example, v.com, catch.com",
        relay_recipient_maps: `socketmap:inet:127.0.0.1:${servers[0]?.port}:recipients`,
        smtpd_relay_restrictions: "reject_unauth_destination",
        smtpd_forbid_unauth_pipelining: "no",
        smtpd_error_sleep_time: "0",
      });
      try {
        const asked = VERDICTS.filter(([address]) =>
          /^[!-~]+@(h\.example|v\.com|catch\.com)$/i.test(address),
        );
        const rcpt = asked.map(([address]) => `RCPT TO:<${address}>`);
        const lines = ["EHLO c.example", "MAIL FROM:<s@example.org>", ...rcpt, "QUIT", ""];
        const text = await talk(mx.port, { input: lines.join("\r\n") });
        const replies = text.split("\r\n").slice(-2 - asked.length, -2);
        const code = (verdict: Verdict) =>
          verdict === "trouble"
            ? "451 4.3.0"
            : verdict === "unknown" || verdict === "disabled"
              ? "550 5.1.1"
              : "250 2.1.5";
        expect(replies.map((reply, i) => `${asked[i]?.[0]} ${reply.slice(0, 9)}`)).toEqual(
          asked.map(([address, verdict]) => `${address} ${code(verdict)}`),
        );
      } finally {
        await mx.stop();
      }
    },
    60_000,
  );

  const numbers: Record<Verdict, string> = {
    deliverable: "200 241",
    "catch-all": "200 244",
    unverifiable: "200 18",
    unknown: "200 0",
    disabled: "200 0",
    "not-ours": "200 255",
    trouble: "503 ",
  };
  const curl = (path: string, ...more: string[]) =>
    execFileSync("curl", [
      "-s",
      ...more,
      "-w",
      "%{http_code} ",
      "-o",
      "-",
      `http://127.0.0.1:${servers[1]?.port}${path}`,
    ])
      .toString()
      .replace(/^(.*?)(\d{3}) $/s, "$2 $1");
  test.each(VERDICTS.filter(([address]) => !address.includes("\xfc")))(
    "HTTP: %j is %s",
    (address, verdict) => {
      expect(curl(`/qd1/deliverable?${encodeURIComponent(address)}`)).toBe(numbers[verdict]);
    },
  );
  test.each([
    ["/qd1/deliverable?m%FCller@v.com", "400 "],
    ["/qd1/qmail_local?ann@h.example", "403 "],
    ["/", "403 "],
    [`/qd1/deliverable?${"x".repeat(20_000)}`, "400 "],
  ])("HTTP: %.40s", (path, expected) => expect(curl(path)).toBe(expected));
  test("HTTP: another method", () =>
    expect(curl("/qd1/deliverable?ann@h.example", "-X", "POST")).toBe("403 "));

  test("socketmap: what is no request ends the connection, and is not answered", async () => {
    for (const input of ["x", "99999:", "5:a b c", "3:a b;"]) {
      const got = await run("qmail-rcptcheck", ["socketmap"], { env: world.env, input });
      expect([got.code, got.stdout]).toEqual([0, ""]);
    }
    const got = await run("qmail-rcptcheck", ["socketmap"], {
      env: world.env,
      input: "3:abc,13:a postmaster ,12:a postmaster,",
    });
    expect(got.stdout).toMatch(/^\d+:PERM [^,]*,9:NOTFOUND ,14:OK deliverable,$/);
  });
});

test.skipIf(!isRoot)("the sample view gives the verdicts of db/user", async () => {
  const world = makeWorld();
  try {
    const { sql } = overSocket.prepare(world);
    const home = world.user("ann", UID);
    sql(`DROP TABLE \`virtual\`; DROP TABLE rcpthosts; CREATE TABLE domain (name varchar(64));
      CREATE TABLE email (user varchar(32), domain varchar(64), enabled char(1));
      INSERT INTO domain VALUES ('v.com');
      INSERT INTO email VALUES ('ann', 'v.com', 'Y'), ('off', 'v.com', 'N');
      INSERT INTO mailbox (username, uid, gid, home, password) VALUES ('ann', ${UID}, ${UID}, '${home}', '');
      ${sqlFile("views/qpsmtpd-db-user.sql")}`);
    world.control("me", "h.example\n");
    world.control("rcpthosts", "h.example\n");
    const rebuilt = await run("rebuild-cdb", ["--no-hup"], { env: world.env });
    expect([rebuilt.code, rebuilt.stderr]).toEqual([0, ""]);
    const input = ["ann@v.com", "off@v.com", "nobody@v.com", "ann@w.com"]
      .map((key) => `${key.length + 2}:x ${key},`)
      .join("");
    const got = await run("qmail-rcptcheck", ["socketmap"], { env: world.env, input });
    expect(got.stdout).toBe("14:OK deliverable,9:NOTFOUND ,9:NOTFOUND ,9:NOTFOUND ,");
  } finally {
    world.remove();
  }
});

test("a connection that stays uses the database when it is back, and changed control files", async () => {
  const world = makeWorld();
  const asking = spawn(join(BIN, "qmail-rcptcheck"), ["socketmap"], {
    env: { PATH: process.env.PATH ?? "", ...world.env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const replies = on(asking.stdout, "data")[Symbol.asyncIterator]();
  const reply = async (address: string): Promise<string> => {
    const request = `x ${address}`;
    asking.stdin.write(`${request.length}:${request},`);
    const { value } = await replies.next();
    return String(value?.[0]).replace(/^\d+:(\S+ ?\S*).*,$/s, "$1");
  };
  try {
    world.control("me", "h.example\n");
    world.control("rcpthosts", "h.example\n");
    expect(await reply("ann@h.example")).toMatch(/^TEMP/);
    const { sql } = overSocket.prepare(world);
    const home = world.user("ann", isRoot ? UID : (process.getuid?.() ?? 0));
    sql(
      `INSERT INTO mailbox (username, uid, gid, home, password) VALUES ('ann', ${UID}, ${UID}, '${home}', '')`,
    );
    expect(await reply("ann@h.example")).toBe("OK deliverable");
    const own = "FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    const kills = sql(`SELECT CONCAT('KILL ', id, ';') ${own}`);
    expect(kills).toMatch(/^KILL \d+;$/m);
    sql(kills);
    expect(await reply("ann@h.example")).toBe("OK deliverable");
    world.control("rcpthosts", "other.example\n");
    await expect.poll(() => reply("ann@h.example"), { timeout: 5000 }).toBe("NOTFOUND ");
  } finally {
    asking.kill("SIGKILL");
    world.remove();
  }
});

test("without arguments and variables, or with others, the usage, and never a verdict", async () => {
  for (const args of [[], ["x"], ["plugin", "x"], ["socketmap", "x"]]) {
    const got = await run("qmail-rcptcheck", args);
    expect([got.code, got.stdout]).toEqual([111, ""]);
    expect(got.stderr).toContain("usage:");
  }
});

test("without a database, or with a control file that cannot be used: later, never no", async () => {
  const world = makeWorld();
  const ways: readonly (() => void)[] = [
    () => {},
    () => world.control("sqld", "/nowhere/socket\n"),
    () => world.control("sqld", "\n"),
  ];
  try {
    world.control("me", "h.example\n");
    world.control("rcpthosts", "h.example\n");
    world.control("sqlserver", "server /nowhere/mysqld.sock\nlogin x\npassword y\ndb z\n");
    for (const way of ways) {
      way();
      const env = { ...world.env, RECIPIENT: "joe@h.example" };
      expect((await run("qmail-rcptcheck", [], { env })).code).toBe(111);
      const spp = { ...world.env, SMTPRCPTTO: "joe@h.example" };
      expect((await run("qmail-rcptcheck", [], { env: spp })).stdout).toMatch(/^E451 .*\n$/);
      const fd3 = "joe@h.example\0\0\0";
      expect((await run("qmail-rcptcheck", ["recipients"], { env: world.env, fd3 })).code).toBe(111);
      expect((await run("qmail-rcptcheck", ["recipients"], { env: world.env, fd3: "joe" })).code).toBe(111);
      const input = "20:recipient joe@h.exam,".replace("20", String("recipient joe@h.exam".length));
      expect((await run("qmail-rcptcheck", ["socketmap"], { env: world.env, input })).stdout).toMatch(
        /:(TEMP|NOTFOUND) /,
      );
    }
  } finally {
    world.remove();
  }
});

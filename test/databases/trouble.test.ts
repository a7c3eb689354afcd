import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { overTcp, sqlite } from "../lib/databases.ts";
import { freePort } from "../lib/mariadb.ts";
import { type Outcome, run } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { makeWorld } from "../lib/world.ts";

const TIMEOUT = 1; // second, in control/sqlserver

/** Each program that asks the database, its exit code for trouble, and how to make it ask. */
const programs: readonly [
  name: string,
  code: number,
  ask: (env: Record<string, string>) => Promise<Outcome>,
][] = [
  ["qmail-getpw", 118, (env) => run("qmail-getpw", ["iain"], { env })],
  ["checkpassword", 111, (env) => run("checkpassword", ["/bin/true"], { env, fd3: "iain\0typed\0x\0" })],
  ["qmail-mysql", 111, (env) => administrator(env, ["user", "show", "iain"])],
  ["qmail-mysql", 111, (env) => administrator(env, ["user", "list", "--json"])],
];

/** With files that it does not warn of. */
function administrator(env: Record<string, string>, args: readonly string[]): Promise<Outcome> {
  for (const name of ["control/sqlserver", "users/mail.db"]) {
    const file = `${env.QMAIL_HOME}/${name}`;
    if (existsSync(file)) chmodSync(file, 0o640);
  }
  return run("qmail-mysql", args, { env });
}

describe.each(programs)("%s", (program, code, ask) => {
  const world = makeWorld();
  afterAll(() => world.remove());

  async function expectTrouble(reason: RegExp): Promise<void> {
    const got = await ask(world.env);
    expect(got.stdout).toBe("");
    expect(got.stderr).toMatch(reason);
    expect(got.stderr).toMatch(new RegExp(`^${program}: fatal: unable to [^\\n]*\\n$`));
    expect(got.stderr).not.toContain("secret");
    expect(got.code).toBe(code);
    expect(got.ms).toBeLessThan(TIMEOUT * 1000 + 1500);
  }

  function configure(server: string, more = ""): void {
    world.control(
      "sqlserver",
      `${server}\nlogin qmail\npassword sql secret\ndb mail\ntimeout ${TIMEOUT}\n${more}`,
    );
  }

  describe("with control/sqlserver", () => {
    test.each([
      ["wrong on a line", "login\n", /sqlserver line 1: expected "key value" or "key=value"$/m],
      ["without a database", "login qmail\n", /sqlserver: no "db" line/],
      [
        "with a wrong value",
        "login q\ndb q\ntimeout soon\n",
        /sqlserver line 3: timeout: expected a whole number/,
      ],
      [
        "full of garbage",
        `${"\x80\0\x01=".repeat(300_000)}\n`,
        /sqlserver: no "login" line|sqlserver line 1/,
      ],
    ])("%s: says file, line and what was expected", async (_, text, reason) => {
      world.control("sqlserver", text);
      const got = await ask(world.env);
      expect(got.code).toBe(code);
      expect(got.stderr.split("\n").filter((line) => line.includes("fatal"))).toHaveLength(1);
      expect(got.stderr).toMatch(reason);
    });

    test("missing", async () => {
      execFileSync("rm", ["-f", join(world.home, "control/sqlserver")]);
      await expectTrouble(/unable to read .*control\/sqlserver: file does not exist/);
    });
  });

  describe("with a server", () => {
    const servers: Server[] = [];
    const listen = async (onConnection: (socket: Socket) => void): Promise<number> => {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        onConnection(socket);
      });
      servers.push(server);
      const port = await freePort();
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      return port;
    };
    afterAll(() => {
      for (const server of servers) server.close();
    });

    test("that is stopped", async () => {
      configure(`server 127.0.0.1:${await freePort()}`);
      await expectTrouble(/connection refused/);
    });

    test("whose socket is gone", async () => {
      configure("server /nonexistent/mysqld.sock");
      await expectTrouble(
        /unable to connect to the database at \/nonexistent\/mysqld.sock: file does not exist/,
      );
    });

    test("that accepts and never answers", async () => {
      configure(`server 127.0.0.1:${await listen(() => {})}`);
      await expectTrouble(/timed out/);
    });

    test("that hangs up at once", async () => {
      configure(`server 127.0.0.1:${await listen((socket) => socket.destroy())}`);
      await expectTrouble(/unable to connect/);
    });

    test("that speaks garbage", async () => {
      const garbage = Buffer.alloc(100_000, "\xff\x00garbage", "latin1");
      configure(`server 127.0.0.1:${await listen((socket) => socket.write(garbage))}`);
      await expectTrouble(/unable to connect/);
    });

    test("that speaks out of turn", async () => {
      const greeting = await greetingOf(inject("mariadb").port);
      const turns = Buffer.alloc(5000, "\x01\0\0\0\0", "latin1"); // packets of one byte, all the first of their kind
      const port = await listen((socket) => {
        socket.write(greeting);
        socket.once("data", () => socket.write(turns));
      });
      configure(`server 127.0.0.1:${port}`);
      await expectTrouble(/unable to (connect|query|change)/);
    });

    test("that falls silent after its greeting", async () => {
      const greeting = await greetingOf(inject("mariadb").port);
      configure(`server 127.0.0.1:${await listen((socket) => socket.write(greeting))}`);
      await expectTrouble(/timed out/);
    });

    test("that refuses the login", async () => {
      overTcp.prepare(world);
      const { port } = inject("mariadb");
      world.control("sqlserver", `server 127.0.0.1:${port}\nlogin qmail\npassword not secret\ndb mail\n`);
      await expectTrouble(/Access denied for user 'qmail'@/);
    });

    test("whose certificate another CA signed", async () => {
      const { port } = inject("mariadb");
      writeFileSync(join(world.home, "control/ca.pem"), otherCa());
      configure(`server 127.0.0.1:${port}`, `tls ${join(world.home, "control/ca.pem")}\n`);
      await expectTrouble(/certificate/);
    });

    test.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])("whose CA %s alone names", async (name) => {
      const { port, ca } = inject("mariadb");
      configure(`server localhost:${port}`, "tls yes\n");
      const { code, stderr } = await run("qmail-getpw", ["iain"], { env: { ...world.env, [name]: ca } });
      expect({ code, stderr }).toEqual({ code: 118, stderr: expect.stringMatching(/certificate/) });
    });

    test("whose certificate names another host", async () => {
      const { port, ca } = inject("mariadb");
      configure(`server 127.0.0.2:${port}`, `tls ${ca}\n`);
      await expectTrouble(/unable to connect/);
    });

    test("that lacks the table", async () => {
      const { sql } = overTcp.prepare(world, `timeout ${TIMEOUT}\n`);
      sql("DROP TABLE mailbox");
      await expectTrouble(/mailbox' doesn't exist/);
    });

    describe("whose answer takes too long", () => {
      let sql: (text: string) => string;
      beforeAll(() => {
        ({ sql } = overTcp.prepare(world, `timeout ${TIMEOUT}\n`));
        sql(`DROP TABLE mailbox; CREATE VIEW mailbox AS SELECT 'iain' AS username, SLEEP(20) AS uid, 1 AS gid,
          '/' AS home, '' AS password, 'Password' AS password_type, 'N' AS suspended`);
      });

      test("gives up in time", () => expectTrouble(/no answer within 1 seconds/));

      test("and is killed in mid-query", async () => {
        const killer = setTimeout(() => {
          const ids = sql(
            "SELECT id FROM information_schema.processlist WHERE user = 'qmail' AND info LIKE '%mailbox%'",
          );
          for (const id of ids.trim().split("\n")) sql(`KILL ${id}`);
        }, 500);
        await expectTrouble(/killed|lost|interrupted|closed/i);
        clearTimeout(killer);
      });
    });

    test("that is dead, and a second one alive: the second answers", async () => {
      const { sql } = overTcp.prepare(world);
      const db = sql("SELECT DATABASE()").trim();
      const { port } = inject("mariadb");
      const silent = await listen(() => {});
      const dead = await freePort();
      sql(mailboxRow({ name: "iain", uid: 64800, home: "/nonexistent", gid: 64100 }));
      world.control(
        "sqlserver",
        `server 127.0.0.1:${dead} 127.0.0.1:${silent}\nserver 127.0.0.1:${port}\nlogin qmail\npassword sql secret\ndb ${db}\ntimeout 2\n`,
      );
      const got = await ask(world.env);
      expect(got.stderr).not.toMatch(/unable to connect/);
      expect(got.ms).toBeLessThan(2000);
    });
  });

  describe("with an SQLite file", () => {
    const prepare = () => sqlite.prepare(world, `timeout ${TIMEOUT}\n`);
    const file = join(world.home, "users/mail.db");

    test("that is not there", async () => {
      world.control("sqlserver", "driver sqlite\ndb users/nothing.db\n");
      await expectTrouble(/unable to open .*users\/nothing.db: file does not exist/);
    });

    test("that lacks the table", async () => {
      prepare().sql("DROP TABLE mailbox");
      await expectTrouble(/no such table: mailbox/);
    });

    test("that is garbage", async () => {
      prepare();
      writeFileSync(file, "this is not a database, and long enough to be one".repeat(100));
      await expectTrouble(/file is not a database/);
    });

    test("that is a pipe", async () => {
      execFileSync("sh", ["-c", 'rm -f "$0" && mkfifo "$0"', file]);
      await expectTrouble(/mail.db: not a regular file/);
    });

    test("that another program keeps locked", async () => {
      execFileSync("rm", ["-f", file]);
      prepare();
      const locker = new DatabaseSync(file);
      locker.exec("BEGIN EXCLUSIVE");
      try {
        await expectTrouble(/database is locked/);
      } finally {
        locker.close();
      }
    });
  });
});

function greetingOf(port: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", (data: Buffer) => {
      socket.destroy();
      resolve(data);
    });
  });
}

function otherCa(): string {
  const args = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout /dev/null".split(" ");
  return execFileSync("openssl", args, { stdio: ["ignore", "pipe", "ignore"] }).toString();
}

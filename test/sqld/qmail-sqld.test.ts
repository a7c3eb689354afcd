import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { overSocket, overTcp } from "../lib/databases.ts";
import { freePort } from "../lib/mariadb.ts";
import { BIN, proc, run, visible } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { ask, figure, framed, type RunningSqld, SQLD_UID, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const KEEP_NOTHING = "ttl 0\nnegative_ttl 0\nlogin_ttl 0\n";

/** The bytes that come back for `bytes`, up to the end of the connection or `ms` of silence. */
function exchange(socket: string, bytes: string, ms = 1000): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let got = "";
    const end = () => {
      connection.destroy();
      resolve(got);
    };
    const timer = setTimeout(end, ms);
    connection.on("error", reject);
    connection.on("data", (chunk) => {
      got += chunk.toString("latin1");
      timer.refresh();
    });
    connection.on("close", end);
    connection.write(bytes, "latin1");
  });
}

describe.skipIf(!isRoot)("qmail-sqld", () => {
  const world = makeWorld();
  const home = world.user("joe", UID);
  let sql: (text: string) => string;
  let sqld: RunningSqld;
  const bcrypt = execFileSync("mkpasswd", ["-m", "bcrypt", "-R", "11", "secret"]).toString().trim();
  const start = (settings = KEEP_NOTHING) => {
    sqld = startSqld(world, settings);
  };
  const row = (name: string, password = "secret", type = "Password") =>
    mailboxRow({ name: name, uid: UID, home: home, password: password, type: type });
  beforeAll(() => {
    ({ sql } = overSocket.prepare(world, "timeout 2\n"));
    sql(`${row("joe")}${row("joe-work")}${row("slow", bcrypt, "Crypt-Password")}
      INSERT INTO \`virtual\` VALUES ('joe', 'sales', 'sales', 'virtual.com');`);
    start();
  });
  afterAll(async () => {
    await sqld.stop();
    world.remove();
  });
  const joe = (name: string) => `${name}|${UID}|${UID}|${home}|N|`;

  describe("answers", () => {
    test.each([
      ["found", ["findMailboxes", "joe"], `F${joe("joe")}`],
      ["several", ["findMailboxes", "joe", "joe-work", "nobody"], `F${joe("joe")}${joe("joe-work")}`],
      ["none", ["findMailboxes", "nobody"], "N"],
      ["none for what is not UTF-8", ["findMailboxes", "j\xffoe"], "N"],
      ["a virtual row", ["findVirtual", "virtual.com", "sales", ""], "Fjoe|sales|sales|virtual.com|"],
      ["settings", ["settings"], "Ftimeout 2|protocol 2|protocol 3|protocol 4|"],
      ["a login", ["authenticate", "joe", "secret", ""], `Faccepted|joe|${UID}|${UID}|${home}|/bin/sh|`],
      ["a wrong password", ["authenticate", "joe", "Secret", ""], "Frefused|wrong password|"],
      ["a stranger's login", ["authenticate", "nobody", "secret", ""], "N"],
    ])("%s", async (_, fields, expected) => expect(await ask(sqld.socket, ...fields)).toBe(expected));

    test("several questions of one connection, in their order", async () => {
      const questions = ["joe", "nobody", "joe-work"].map((name) => framed("findMailboxes", name)).join("");
      const got = await exchange(sqld.socket, questions, 300);
      expect(visible(got)).toMatch(/^\d+:Fjoe\|.*,1:N,\d+:Fjoe-work\|.*,$/);
    });

    test("a question that comes a byte at a time", async () => {
      const connection = connect(sqld.socket);
      let got = "";
      connection.on("data", (chunk) => {
        got += chunk.toString("latin1");
      });
      for (const byte of framed("findMailboxes", "joe")) {
        connection.write(byte);
        await sleep(2);
      }
      await expect.poll(() => visible(got)).toMatch(/^\d+:Fjoe\|/);
      connection.destroy();
    });
  });

  test.each([
    "findLogin",
    "decoy",
    "addMailbox",
    "setPassword",
    "listMailboxes",
    "constructor",
    "__proto__",
    "",
  ])("gives no answer to %s, and hangs up", async (name) => {
    const got = await exchange(sqld.socket, framed(name, "joe") + framed("findMailboxes", "joe"), 5000);
    expect(got).toBe("35:Tunable to answer: no such question,");
  });

  test.each([
    ["no netstring", "GET / HTTP/1.0\r\n\r\n"],
    ["a length over the limit", "16385:"],
    ["a length beyond all numbers", "9".repeat(400)],
    ["no comma", "3:abcd"],
  ])("hangs up on %s", async (_, bytes) => {
    const before = performance.now();
    expect(await exchange(sqld.socket, bytes, 5000)).toBe("");
    expect(performance.now() - before).toBeLessThan(2000);
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
  });

  test("never returns a password or a hash for any question", async () => {
    const names = ["joe", "slow"];
    for (const question of ["findMailboxes", "findVirtual", "findVirtualHosts", "settings", "stats"]) {
      const got = await exchange(sqld.socket, framed(question, ...names), 200);
      expect(got).not.toContain("secret");
      expect(got).not.toContain("$2");
    }
  });

  test("speaks with a client of a hundred lines of C", async () => {
    const client = join(tmpdir(), `sqld-client-${process.pid}`);
    execFileSync("gcc", ["-o", client, join(import.meta.dirname, "../../bench/c/sqld-client.c")]);
    const { code, stdout } = await run(client, [sqld.socket, "findMailboxes", "joe"]);
    expect([code, stdout]).toEqual([0, `joe\n${UID}\n${UID}\n${home}\nN\n`]);
    expect((await run(client, [sqld.socket, "findMailboxes", "nobody"])).code).toBe(1);
    expect((await run(client, [sqld.socket, "findLogin", "joe"])).code).toBe(111);
    rmSync(client);
  });

  describe("programs", () => {
    const login = "joe\0secret\0\0";

    test.each([
      ["qmail-getpw", ["joe-x"], undefined],
      ["checkpassword", ["/bin/true"], login],
    ])("%s opens neither control/sqlserver nor a driver's files", async (program, args, fd3) => {
      const trace = join(world.home, "trace");
      const file = join(BIN, program);
      const { code } = await run(
        "/usr/bin/strace",
        ["-f", "-o", trace, "-e", "trace=open,openat,connect", file, ...args],
        {
          env: world.env,
          fd3,
        },
      );
      expect(code).toBe(0);
      const text = readFileSync(trace, "latin1");
      expect(text).toContain("control/sqld");
      expect(text).toContain(sqld.socket);
      expect(text).not.toContain("sqlserver");
      expect(text).not.toContain("mysqld");
    });

    test.each([
      ["is gone", async () => void (await sqld.stop("SIGKILL"))],
      ["is frozen", async () => void process.kill(sqld.pid, "SIGSTOP")],
    ])("are in trouble, in time, when qmail-sqld %s", async (_, break_) => {
      await break_();
      const [getpw, check] = await Promise.all([
        run("qmail-getpw", ["joe"], { env: world.env }),
        run("checkpassword", ["/bin/true"], { env: world.env, fd3: login }),
      ]);
      start();
      expect([getpw.code, getpw.stdout, check.code]).toEqual([118, "", 111]);
      expect(getpw.stderr).toMatch(/^qmail-getpw: fatal: unable to ask qmail-sqld at .*\n$/);
      expect(Math.max(getpw.ms, check.ms)).toBeLessThan(6500);
    });
  });

  describe("keeps answers", () => {
    test("for their time, and until SIGHUP", async () => {
      start("ttl 600\nnegative_ttl 600\n");
      sql(row("kept"));
      expect(await ask(sqld.socket, "findMailboxes", "kept")).toBe(`F${joe("kept")}`);
      expect(await ask(sqld.socket, "findMailboxes", "fresh")).toBe("N");
      sql(`DELETE FROM mailbox WHERE username = 'kept'; ${row("fresh")}`);
      expect(await ask(sqld.socket, "findMailboxes", "kept")).toBe(`F${joe("kept")}`);
      expect(await ask(sqld.socket, "findMailboxes", "fresh")).toBe("N");
      process.kill(sqld.pid, "SIGHUP");
      await expect.poll(() => ask(sqld.socket, "findMailboxes", "kept")).toBe("N");
      expect(await ask(sqld.socket, "findMailboxes", "fresh")).toBe(`F${joe("fresh")}`);
      sql("DELETE FROM mailbox WHERE username = 'fresh'");
    });

    test("asks once for what many ask at once", async () => {
      start("ttl 600\n");
      sql("INSERT INTO `virtual` VALUES ('joe', '', 'x', 'many.com')");
      const many = Array.from({ length: 50 }, () => ask(sqld.socket, "findVirtual", "many.com", "x", ""));
      expect(new Set(await Promise.all(many))).toEqual(new Set(["Fjoe||x|many.com|"]));
      expect(await figure(sqld.socket, "cache_misses")).toBe(1);
    });

    test("but a login refused by a kept row is judged by the row of now", async () => {
      start("login_ttl 600\nnegative_ttl 600\n");
      sql(row("changing", "old"));
      const verdict = async (password: string) =>
        (await ask(sqld.socket, "authenticate", "changing", password, "")).split("|")[0];
      expect(await verdict("old")).toBe("Faccepted");
      sql("UPDATE mailbox SET password = 'new' WHERE username = 'changing'");
      expect(await verdict("new")).toBe("Faccepted");
      expect(await verdict("old")).toBe("Frefused");
      expect(await ask(sqld.socket, "authenticate", "created", "x", "")).toBe("N");
      sql(row("created", "x"));
      expect(await ask(sqld.socket, "authenticate", "created", "x", "")).toMatch(/^Faccepted/);
    });
  });

  describe("the database", () => {
    /** A way to the MariaDB that can be cut. */
    async function gate(): Promise<{ port: number; cut(): void; open(): Promise<void> }> {
      const port = await freePort();
      const sockets = new Set<Socket>();
      let server: Server | undefined;
      const open = () =>
        new Promise<void>((resolve) => {
          server = createServer((socket) => {
            const to = connect(inject("mariadb").port, "127.0.0.1");
            for (const [a, b] of [
              [socket, to],
              [to, socket],
            ] as const) {
              sockets.add(a);
              a.on("error", () => {});
              a.on("close", () => b.destroy());
              a.pipe(b);
            }
          }).listen(port, "127.0.0.1", resolve);
        });
      await open();
      return {
        port,
        open,
        cut() {
          server?.close();
          for (const socket of sockets) socket.destroy();
          sockets.clear();
        },
      };
    }

    const away = makeWorld();
    afterAll(() => away.remove());
    const prepared = async (gates: number, settings: string) => {
      const all = await Promise.all(Array.from({ length: gates }, gate));
      const backend = overTcp.prepare(away);
      const text = readFileSync(join(away.home, "control/sqlserver"), "latin1");
      const servers = all.map(({ port }) => `127.0.0.1:${port}`).join(" ");
      rmSync(join(away.home, "control/sqlserver"));
      away.control("sqlserver", `${text.replace(/server .*\nport .*\n/, `server ${servers}\n`)}timeout 2\n`);
      backend.sql(row("joe"));
      return { gates: all, sqld: startSqld(away, settings), sql: backend.sql };
    };

    test("is unavailable: expired responses for mail, trouble for logins and for uncached questions", async () => {
      const { gates, sqld } = await prepared(1, KEEP_NOTHING);
      expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
      expect(await ask(sqld.socket, "authenticate", "joe", "secret", "")).toMatch(/^Faccepted/);
      gates[0]?.cut();
      expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
      expect(await ask(sqld.socket, "findMailboxes", "other")).toMatch(/^Tunable to connect to the database/);
      expect(await ask(sqld.socket, "authenticate", "joe", "secret", "")).toMatch(/^Tunable to connect/);
      const before = performance.now();
      await gates[0]?.open();
      await expect
        .poll(() => ask(sqld.socket, "authenticate", "joe", "secret", ""), { timeout: 5000 })
        .toMatch(/^Faccepted/);
      expect(performance.now() - before).toBeLessThan(2000);
      await sqld.stop();
    });

    test("is away, and an answer is too old", async () => {
      const { gates, sqld } = await prepared(1, `${KEEP_NOTHING}stale 0\n`);
      expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
      gates[0]?.cut();
      expect(await ask(sqld.socket, "findMailboxes", "joe")).toMatch(/^T/);
      await sqld.stop();
    });

    test("has a second server: no question fails when the first one ends, and its return is noticed", async () => {
      const { gates, sqld } = await prepared(2, `${KEEP_NOTHING}stale 0\n`);
      const [first, second] = gates.map(({ port }) => `127.0.0.1:${port}`) as [string, string];
      for (let i = 0; i < 100; i++) {
        if (i === 50) gates[0]?.cut();
        expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
      }
      expect(await figure(sqld.socket, "server_queries", second)).toBe(50);
      await gates[0]?.open();
      await expect
        .poll(
          async () => {
            await ask(sqld.socket, "findMailboxes", "joe");
            return figure(sqld.socket, "server_connections", second);
          },
          { timeout: 5000 },
        )
        .toBe(0);
      expect(await figure(sqld.socket, "server_connections", first)).toBeGreaterThan(0);
      expect(sqld.said().match(/warning: unable to connect to the database at .*/g)).toEqual([
        `warning: unable to connect to the database at ${first}: connection refused`,
      ]);
      expect(sqld.said()).toMatch(/^qmail-sqld: the server 127\.0\.0\.1:\d+ works again after \d seconds/m);
      await sqld.stop();
    });
  });

  describe("is not held up", () => {
    const percentile99 = (times: number[]) =>
      times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;

    /** Milliseconds of 300 honest questions asked one after another. */
    async function honest(): Promise<number> {
      const times: number[] = [];
      for (let i = 0; i < 300; i++) {
        const before = performance.now();
        expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
        times.push(performance.now() - before);
      }
      return percentile99(times);
    }

    test("by slow hashes", async () => {
      start();
      const login = () => ask(sqld.socket, "authenticate", "slow", "secret", "");
      await login(); // starts a process that hashes
      const before = performance.now();
      await login();
      const oneHash = performance.now() - before;
      const logins = Array.from({ length: 20 }, login);
      // 2 seconds of hashing are under way; a question that waited for them would wait for one hash at least.
      expect(await honest()).toBeLessThan(oneHash);
      for (const verdict of await Promise.all(logins)) expect(verdict).toMatch(/^Faccepted|^Tunable to/);
    });

    test("by hostile clients", async () => {
      start();
      const quiet = await honest();
      const hostile: Socket[] = [];
      const attack = (each: (socket: Socket) => void) => {
        const socket = connect(sqld.socket);
        socket.on("error", () => {});
        socket.on("connect", () => each(socket));
        hostile.push(socket);
      };
      const flood = framed("findMailboxes", "nobody").repeat(1000);
      for (let i = 0; i < 125; i++) {
        attack(() => {}); // sends nothing
        attack((socket) => socket.write("16000:begun")); // and does not complete it
        attack((socket) => socket.write(flood).valueOf() && socket.pause()); // reads no responses
        attack((socket) => void socket.write(randomBytes(10_000)));
      }
      await sleep(100);
      const p99 = await honest();
      for (const socket of hostile) socket.destroy();
      expect(p99).toBeLessThan(100 + 5 * quiet);
      await expect.poll(() => figure(sqld.socket, "clients"), { timeout: 8000 }).toBe(1);
    });

    test("by the owner of a mailbox that records logins in a loop", async () => {
      world.control("sql", "relay_user user\n");
      start();
      const quiet = await honest();
      const flood = `import itertools, socket, sys
socks = [socket.socket(socket.AF_UNIX) for _ in range(20)]
for s in socks: s.connect(sys.argv[1])
print("", flush=True)
for i in itertools.count():
    q = b"recordLogin\\x00192.0.2.%d\\x00joe\\x00" % (i % 200)
    for s in socks: s.sendall(b"%d:%s," % (len(q), q))
    for s in socks: s.recv(4096)
`;
      const flooding = spawn("/usr/bin/python3", ["-c", flood, sqld.socket], {
        uid: UID,
        gid: UID,
        cwd: "/",
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => flooding.stdout.once("data", resolve));
      const p99 = await honest();
      const before = performance.now();
      expect(await ask(sqld.socket, "recordLogin", "192.0.2.250", "other")).toBe("F");
      const recorded = performance.now() - before;
      await expect.poll(() => Number(sql("SELECT count(*) FROM relay WHERE user = 'joe'"))).toBe(100);
      flooding.kill("SIGKILL");
      expect(p99).toBeLessThan(100 + 5 * quiet);
      expect(recorded).toBeLessThan(500);
    });
  });

  test("closes slow connections only", async () => {
    start();
    const quiet = connect(sqld.socket);
    await exchange(sqld.socket, "100:slow", 7500);
    expect(await figure(sqld.socket, "clients_slow")).toBe(1);
    expect(quiet.destroyed).toBe(false);
    quiet.destroy();
  });

  test("closes the quietest when there are too many", async () => {
    start(`${KEEP_NOTHING}clients 2\n`);
    const [a, b] = [connect(sqld.socket), connect(sqld.socket)];
    let closed = false;
    a.on("close", () => {
      closed = true;
    });
    await sleep(50);
    expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
    await expect.poll(() => closed).toBe(true);
    b.destroy();
  });

  describe("as a process", () => {
    beforeAll(() => start());

    test("uses its own account", () => {
      const status = proc(sqld.pid, "status");
      expect(status).toMatch(
        new RegExp(`^Uid:\\t${SQLD_UID}\\t${SQLD_UID}\\t${SQLD_UID}\\t${SQLD_UID}$`, "m"),
      );
      expect(status).toMatch(/^CapEff:\t0+$/m);
    });

    test("logs that nothing is changed if control/ is invalid at SIGHUP", async () => {
      world.control("sqld-settings", "connections none\n");
      process.kill(sqld.pid, "SIGHUP");
      await expect
        .poll(() => sqld.said())
        .toMatch(
          /sqld-settings line 1: connections: expected a whole number from 1 to 64: nothing is changed/,
        );
      expect(await ask(sqld.socket, "findMailboxes", "joe")).toBe(`F${joe("joe")}`);
      world.control("sqld-settings", KEEP_NOTHING);
    });

    test("is the only one on its socket", async () => {
      const second = await run("qmail-sqld", [], { env: world.env, uid: SQLD_UID });
      expect([second.code, second.stderr]).toEqual([
        111,
        `qmail-sqld: fatal: unable to listen on ${sqld.socket}: another qmail-sqld does\n`,
      ]);
      expect(await ask(sqld.socket, "settings")).toMatch(/^F/);
    });

    test("does not run as root", async () => {
      expect(await run("qmail-sqld", [], { env: world.env })).toMatchObject({
        code: 100,
        stderr: "qmail-sqld: fatal: unable to run as root: start it with setuidgid\n",
      });
    });

    test("takes the place of one that crashed", async () => {
      await sqld.stop("SIGKILL");
      expect(existsSync(sqld.socket)).toBe(true);
      start();
      expect(await ask(sqld.socket, "settings")).toMatch(/^F/);
    });

    test("answers what is at hand before SIGTERM ends it", async () => {
      const answer = ask(sqld.socket, "authenticate", "slow", "secret", "");
      await sleep(50);
      expect(await sqld.stop()).toBe(0);
      expect(await answer).toMatch(/^Faccepted/);
      expect(existsSync(sqld.socket)).toBe(false);
      start();
    });
  });

  test("qmail-sqld stats is for readers, JSON and Prometheus", async () => {
    const text = async (...args: string[]) =>
      (await run("qmail-sqld", ["stats", ...args], { env: world.env })).stdout;
    await ask(sqld.socket, "findMailboxes", "joe");
    expect(await text()).toMatch(/^question_seconds_count findMailboxes +1$/m);
    expect(JSON.parse(await text("--json"))).toMatchObject({ cache_misses: 1, clients_garbage: 0 });
    const lines = (await text("--prometheus")).trim().split("\n");
    expect(lines).toContain('qmail_sqld_question_seconds_count{question="findMailboxes"} 1');
    expect(lines).toContain("# TYPE qmail_sqld_question_seconds histogram");
    for (const line of lines) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.e+-]+)$/);
    }
  });
});

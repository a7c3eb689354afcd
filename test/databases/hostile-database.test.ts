import { spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { authSwitch, column, type FakeMysql, type Lies, startFakeMysql } from "../lib/fake-mysql.ts";
import { BIN, run, visible } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// Servers that are not the ones they are taken for, and what they may do: nothing but be refused.

const PASSWORD = "sql secret";
const MEGABYTE = 1 << 20;
const OTHER = 64911; // an account that is neither root nor mysql

const world = makeWorld();
const fakes: FakeMysql[] = [];
afterEach(async () => {
  for (const fake of fakes.splice(0)) await fake.close();
});
afterAll(() => world.remove());

const fake = async (lies: Lies, path?: string) => {
  const server = await startFakeMysql(lies, path);
  fakes.push(server);
  return server;
};
const config = (server: string, extra = "") =>
  world.control("sqlserver", `server ${server}\nlogin qmail\npassword ${PASSWORD}\ndb q\n${extra}`);
const getpw = () => run("qmail-getpw", ["joe"], { env: world.env });
const home = world.user("joe", 64800, 64100);
const JOE = { username: "joe", uid: "64800", gid: "64100", home, suspended: "N" };
const directory = (name: string, mode: number, uid = 0): string => {
  const dir = join(world.home, name);
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, mode);
  if (isRoot) chownSync(dir, uid, uid);
  return dir;
};

describe.skipIf(!isRoot)("who is at the server's socket", () => {
  test("a socket that only root can have made", async () => {
    const socket = join(directory("good", 0o755), "sock");
    await fake({ row: JOE }, socket);
    config(socket);
    expect(visible((await getpw()).stdout)).toBe(`joe|64800|64100|${home}|||`);
  });

  test.each([
    ["others may write", 0o777, 0],
    ["others may write, but not remove", 0o1777, 0],
    ["another account owns", 0o755, OTHER],
  ])("a directory that %s", async (name, mode, uid) => {
    const dir = directory(name.replaceAll(/\W/g, ""), mode, uid);
    const socket = join(dir, "sock");
    const server = await fake({ row: JOE }, socket);
    config(socket);
    const { code, stdout, stderr } = await getpw();
    const why = uid === 0 ? `others may write in ${dir}` : `${dir} belongs to uid ${uid}`;
    expect([code, stdout, stderr]).toEqual([
      118,
      "",
      `qmail-getpw: fatal: unable to connect to the database at ${socket}: ${why}: expected a directory of root or mysql (server_account in sqlserver(5))\n`,
    ]);
    expect(server.connections()).toBe(0);
  });

  test("a directory on the way that others may write", async () => {
    const dir = directory("open", 0o777);
    const socket = join(directory("open/below", 0o755), "sock");
    await fake({ row: JOE }, socket);
    config(socket);
    expect((await getpw()).stderr).toContain(`: others may write in ${dir}: `);
  });

  test("a process of another account, and the same one when it is the server's", async () => {
    const socket = join(directory("other", 0o755), "sock");
    // It listens as that account on a socket that root has made, as after another's server was exploited.
    const child = spawn("python3", [
      "-c",
      `import os, socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)
os.setgid(${OTHER}); os.setuid(${OTHER}); s.listen()
c = s.accept()[0]; sys.stdout.buffer.write(c.recv(100)); sys.stdout.flush()
c = s.accept()[0]; c.send(b"\\x0d\\0\\0\\0\\xff\\x10\\x04#08004none"); time.sleep(9)`,
      socket,
    ]);
    let got = "";
    child.stdout.on("data", (chunk: Buffer) => {
      got += chunk.toString("latin1");
    });
    while (!existsSync(socket)) await sleep(10);
    await sleep(100);
    config(socket);
    expect((await getpw()).stderr).toBe(
      `qmail-getpw: fatal: unable to connect to the database at ${socket}: its server runs as uid ${OTHER}: expected root or mysql (server_account in sqlserver(5))\n`,
    );
    config(socket, `server_account ${OTHER}\n`);
    expect((await getpw()).stderr).toContain(`${socket}: none`);
    expect(got).toBe("");
    child.kill();
  });

  test("localhost without a socket is no server, and never TCP", async () => {
    config("localhost");
    const empty = 'for dir in /run /var/lib; do mount -t tmpfs none $dir; done; exec "$@"';
    const { code, stderr } = await run(
      "/usr/bin/unshare",
      ["-m", "sh", "-c", empty, "sh", join(BIN, "qmail-getpw"), "joe"],
      { env: world.env },
    );
    expect([code, stderr]).toEqual([
      118,
      'qmail-getpw: fatal: unable to connect to the database at localhost: no server has a socket at /run/mysqld/mysqld.sock, /var/run/mysqld/mysqld.sock, /var/lib/mysql/mysql.sock; fix: start it, or in the line "server" its socket\'s path, or 127.0.0.1 for TCP\n',
    ]);
  });
});

describe("the password itself", () => {
  const asking = (plugin: string, ...more: number[]): Lies => ({
    async onLogin(send) {
      send.packet(authSwitch(plugin));
      await send.next();
      if (more.length > 0) send.packet(more);
      await send.next();
    },
  });
  const FULL = [1, 4]; // AuthMoreData: perform_full_authentication
  const lies: [string, Lies][] = [
    ["caching_sha2_password", asking("caching_sha2_password", ...FULL)],
    ["sha256_password", asking("sha256_password")],
    ["mysql_clear_password", asking("mysql_clear_password")],
  ];

  test.each(lies)("%s does not get it over plain TCP, nor sends a key for it", async (_, lie) => {
    const server = await fake(lie);
    config(`127.0.0.1:${server.port}`);
    const { code, stderr } = await getpw();
    expect([code, stderr]).toEqual([
      118,
      `qmail-getpw: fatal: unable to connect to the database at 127.0.0.1:${server.port}: it asks for the password itself, which needs tls or a unix socket: sqlserver(5)\n`,
    ]);
    expect(server.received().includes(PASSWORD)).toBe(false);
    const tail = server.received().subarray(-5).toString("hex");
    expect(["0100000502", "0100000302", "0100000301"]).not.toContain(tail); // a request for the key
  });

  test.skipIf(!isRoot)("the server at a socket of its own gets it", async () => {
    const socket = join(directory("sha2", 0o755), "sock");
    const server = await fake(
      {
        row: JOE,
        async onLogin(send) {
          send.packet(authSwitch("caching_sha2_password"));
          await send.next();
          send.packet(FULL);
          const got = await send.next();
          if (got.toString() === `${PASSWORD}\0`) send.packet([0, 0, 0, 2, 0, 0, 0]);
        },
      },
      socket,
    );
    config(socket);
    expect((await getpw()).code).toBe(0);
    expect(server.connections()).toBe(1);
  });
});

describe("more than an answer may have", () => {
  const row = Buffer.concat([
    Buffer.alloc(3),
    ...["joe", "1", "1", "/", "N"].map((v) => Buffer.from([v.length, ...Buffer.from(v)])),
  ]);
  const rows = (payload: Buffer): Lies => ({
    onExecute(send) {
      send.packet([5]);
      for (const name of ["username", "uid", "gid", "home", "suspended"]) send.packet(column(name));
      send.packet([0xfe, 0, 0, 2, 0]);
      send.flood(payload);
    },
  });
  const floods: [string, Lies, string][] = [
    ["small rows without end", rows(row), "packets"],
    [
      "large rows without end",
      rows(
        Buffer.concat([
          Buffer.alloc(3),
          Buffer.from([0xfc, 0xff, 0xff]),
          Buffer.alloc(65535, "x"),
          Buffer.from([1, 49, 1, 49, 1, 47, 1, 78]),
        ]),
      ),
      "bytes",
    ],
    ["a packet without end", { onExecute: (send) => send.endless() }, "bytes"],
    [
      "columns without end",
      {
        onExecute: (send) => {
          send.packet([0xfd, 255, 255, 255]);
          send.flood(column("x"));
        },
      },
      "packets",
    ],
    ["a login that never ends", { onLogin: (send) => send.endless() }, "bytes"],
  ];
  test.each(floods)("%s, to qmail-getpw", async (_, lie, what) => {
    const server = await fake(lie);
    config(`127.0.0.1:${server.port}`);
    const { code, stdout, stderr } = await getpw();
    expect([code, stdout]).toEqual([118, ""]);
    expect(stderr).toMatch(new RegExp(`^qmail-getpw: fatal: .*: its result has more than \\d+ ${what}\\n$`));
    expect(server.sent()).toBeLessThan(128 * MEGABYTE);
  });

  test.skipIf(!isRoot)("to the administrator, over a socket", async () => {
    const socket = join(directory("flood", 0o755), "sock");
    const server = await fake({ onExecute: (send) => send.endless() }, socket);
    config(socket);
    const { code, stderr } = await run("qmail-mysql", ["user", "show", "joe"], { env: world.env });
    expect(code).toBe(111);
    expect(stderr).toContain(": its result has more than");
    expect(server.sent()).toBeLessThan(128 * MEGABYTE);
  });

  test("whole tables have no such limit, but each of their rows has", async () => {
    const server = await fake({
      onExecute(send, columns) {
        send.packet([columns.length]);
        for (const name of columns) send.packet(column(name));
        send.packet([0xfe, 0, 0, 2, 0]);
        if (columns[0] !== "virtual_host") return send.packet([0xfe, 0, 0, 2, 0]);
        for (let i = 0; i < 150_000; i++) send.packet([0, 0, 1, 97]);
        send.endless();
      },
    });
    config(`127.0.0.1:${server.port}`);
    const { code, stderr } = await run("rebuild-cdb", [], { env: world.env });
    expect([code, stderr]).toEqual([111, expect.stringMatching(/: its result has more than \d+ bytes\n$/)]);
    expect(server.sent()).toBeLessThan(128 * MEGABYTE);
  });
});

describe("invalid packets", () => {
  const corrupt: [string, Lies][] = [
    [
      "a column's name of no length",
      {
        onExecute: (send) => {
          send.packet([1]);
          send.packet([3, 100, 101, 102, 0xff, 0, 0, 0]);
        },
      },
    ],
    [
      "packets out of order",
      {
        onExecute: (send) => {
          send.packet([1]);
          send.next();
          send.packet([1, 2, 3]);
          send.packet([9]);
          send.packet([7]);
        },
      },
    ],
    ["a login answered by nonsense", { onLogin: (send) => send.packet([0x44, 0xff, 0xff, 0xff, 0xff]) }],
    ["an error of no kind", { onLogin: (send) => send.packet([0xff]) }],
  ];
  test.each(corrupt)("%s: nothing on descriptor 1, one line on 2", async (_, lie) => {
    const server = await fake(lie);
    config(`127.0.0.1:${server.port}`, "timeout 1\n");
    const { code, stdout, stderr } = await getpw();
    expect([code, stdout, stderr]).toEqual([
      118,
      "",
      expect.stringMatching(/^qmail-getpw: fatal: [^\n]*\n$/),
    ]);
  });
});

describe.skipIf(!isRoot)("rows that would be root", () => {
  test.each([
    ["gid", { ...JOE, gid: "0" }],
    ["uid", { ...JOE, uid: "0" }],
  ])("%s 0: alias has the mail, and nobody logs in", async (what, row) => {
    const socket = join(directory("root", 0o755), "sock");
    rmSync(socket, { force: true });
    await fake({ row: { ...row, password: "x", password_type: "Password" } }, socket);
    config(socket, "home_mismatch alias\n");
    const mail = await getpw();
    expect(visible(mail.stdout).split("|")[0]).toBe("alias");
    expect(mail.stderr).toBe(`qmail-getpw: warning: mailbox row "joe" is not used: its ${what} is 0\n`);
    const login = await run("checkpassword", ["id"], {
      env: { ...world.env, PATH: "/usr/bin:/bin" },
      fd3: "joe\0x\0\0",
    });
    expect([login.code, login.stdout, login.stderr]).toEqual([
      111,
      "",
      `checkpassword: fatal: unable to use mailbox row "joe": its ${what} is 0\n`,
    ]);
  });
});

describe.skipIf(!isRoot)("who is at qmail-sqld's socket", () => {
  const box = makeWorld();
  afterAll(() => box.remove());
  const answering = (path: string, reply: Buffer) =>
    new Promise<{ close(): void; connections(): number }>((resolve) => {
      let count = 0;
      const server = createServer((socket) => {
        count++;
        socket.on("error", () => {});
        let first = true;
        socket.on("data", () => {
          socket.write(first ? "1:N," : reply);
          first = false;
        });
      });
      server.listen(path, () => {
        chmodSync(path, 0o666);
        resolve({ close: () => server.close(), connections: () => count });
      });
    });
  const framed = (payload: string) => Buffer.from(`${payload.length}:${payload},`, "latin1");
  const place = (name: string, mode: number, uid: number): string => {
    const dir = join(box.home, name);
    mkdirSync(dir, { recursive: true });
    chmodSync(dir, mode);
    chownSync(dir, uid, uid);
    box.control("sqld", `${dir}/socket\n`);
    return `${dir}/socket`;
  };
  const ask = () => run("qmail-getpw", ["joe"], { env: box.env });
  const resident = () => run(join(BIN, "qmail-sqld"), ["stats"], { env: box.env });

  test.each([
    ["qmail-getpw", ask],
    ["a program that stays", resident],
  ])("%s: a directory that others may write", async (_, ask) => {
    const path = place("open", 0o777, 0);
    const server = await answering(path, framed("N"));
    expect((await ask()).stderr).toMatch(
      /: fatal: unable to ask qmail-sqld at .*: others may write in .*\/open\n$/,
    );
    expect(server.connections()).toBe(0);
    server.close();
  });

  test.each([
    ["qmail-getpw", ask],
    ["a program that stays", resident],
  ])("%s: a process of another account", async (_, ask) => {
    const path = place("theirs", 0o755, OTHER);
    rmSync(path, { force: true });
    const child = spawn("python3", [
      "-c",
      `import os, socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)
os.setgid(${OTHER + 1}); os.setuid(${OTHER + 1}); s.listen()
while True: print(s.accept()[0].recv(100)); sys.stdout.flush()`,
      path,
    ]);
    while (!existsSync(path)) await sleep(10);
    await sleep(100);
    expect((await ask()).stderr).toMatch(
      new RegExp(
        `: fatal: unable to ask qmail-sqld at .*: it runs as uid ${OTHER + 1}, and its directory belongs to uid ${OTHER}\\n$`,
      ),
    );
    child.kill();
  });

  test("more rows than an answer may have", async () => {
    const path = place("flood", 0o755, 0);
    const server = await answering(path, framed(`F${"\0".repeat(1_000_000)}`));
    const { code, stderr } = await ask();
    expect([code, stderr]).toEqual([
      118,
      "qmail-getpw: fatal: unable to use qmail-sqld's answer: too many rows\n",
    ]);
    server.close();
  });

  test.each([
    ["uid", "0\x00100"],
    ["gid", "64800\x000"],
  ])("a verdict of %s 0", async (_, ids) => {
    const path = place("verdict", 0o755, 0);
    rmSync(path, { force: true });
    const server = await answering(path, framed(`Faccepted\0joe\0${ids}\0${home}\0/bin/sh\0`));
    const { code, stdout, stderr } = await run("checkpassword", ["id"], {
      env: { ...box.env, PATH: "/usr/bin:/bin" },
      fd3: "joe\0x\0\0",
    });
    expect([code, stdout, stderr]).toEqual([
      111,
      "",
      "checkpassword: fatal: unable to use qmail-sqld's verdict: a uid or gid of 0\n",
    ]);
    server.close();
  });
});

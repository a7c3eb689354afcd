import { execFileSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { sqlite } from "../lib/databases.ts";
import { talk } from "../lib/pop-server.ts";
import { certificate, contents, fill, randomCommands, randomFiles } from "../lib/pop3-random.ts";
import { FILES, POP3D } from "../lib/pop3-sessions.ts";
import { type PopdHow, startPopd } from "../lib/popd.ts";
import { BIN, run } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { mailboxRow } from "../lib/rows.ts";
import type { Server } from "../lib/server.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const UID = 64800;
const GID = 64100;
const SECRET = "a secret";
const REFUSED = "-ERR [AUTH] authorization failed\r\n";
const IN_CLEAR = "-ERR encryption required: use STLS first\r\n";
const { STOCK_QMAIL, POP3_SESSIONS = "60", POP3_KILLS = "12" } = process.env;

const world = makeWorld();
const home = world.user("iain", UID, GID);
const other = world.user("other", UID + 1, GID + 1);
const maildir = join(home, "Maildir");
const dir = mkdtempSync(join(tmpdir(), "popd-"));
const servers: Server[] = [];
const files = Object.entries(FILES).filter(([name]) => !name.includes("hidden"));

async function serve(how: PopdHow = {}): Promise<Server> {
  const server = await startPopd(world, how);
  servers.push(server);
  return server;
}

/** A session, from the reply to PASS. */
async function session(
  port: number,
  user: string,
  password: string,
  rest = "RETR 1\r\nQUIT\r\n",
): Promise<string> {
  const got = await talk(port, [`USER ${user}\r\nPASS ${password}\r\n${rest}`]);
  return got.replace(/^\+OK <[^>]*>\r\n\+OK \r\n/, "");
}

/** A client that sends a line when the reply to the one before has come. */
class Client {
  readonly socket: Socket;
  #text = "";
  #wake = () => {};
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").on("error", () => {});
    socket.on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** The next line; "" at the end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end + 1);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      if (this.isClosed) return "";
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  ask(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`, "latin1");
    return this.line();
  }
}

async function client(port: number): Promise<Client> {
  const made = new Client(connect({ port, host: "127.0.0.1" }));
  expect(await made.line()).toMatch(/^\+OK <\d+\.\d+@pop\.test>\r\n$/);
  return made;
}

async function loggedIn(port: number, user: string): Promise<Client> {
  const made = await client(port);
  await made.ask(`USER ${user}`);
  expect(await made.ask(`PASS ${SECRET}`)).toBe("+OK \r\n");
  return made;
}

function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").flatMap((child) => family(Number(child))))];
}

const status = (pid: number, field: string): string =>
  new RegExp(`^${field}:\\s*(.*?)\\s*$`, "m").exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "";
/** The sockets that a process has, without its log. */
const socketsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return link.startsWith("socket:") && Number(fd) > 2 ? [link] : [];
    } catch {
      return []; // it was closed meanwhile
    }
  });
const uidOf = (pid: number) => Number(status(pid, "Uid").split("\t")[0]);

describe.skipIf(!isRoot)("qmail-popd", () => {
  beforeAll(() => {
    chmodSync(dir, 0o755);
    const { sql } = sqlite.prepare(world);
    sql(mailboxRow({ name: "iain", uid: UID, home, gid: GID, password: SECRET }));
    sql(mailboxRow({ name: "other", uid: UID + 1, home: other, gid: GID + 1, password: SECRET }));
    sql(mailboxRow({ name: "nohome", uid: UID, home: join(home, "none"), gid: GID, password: SECRET }));
    sql(mailboxRow({ name: "root", uid: 0, home, gid: 0, password: SECRET }));
    startSqld(world);
  });
  beforeEach(() => {
    fill(maildir, files, UID, GID);
    fill(join(other, "Maildir"), [["new/1", "Subject: other\n\n"]], UID + 1, GID + 1);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop("SIGKILL");
    for (const file of ["popd-settings", "servercert.pem"])
      rmSync(join(world.home, "control", file), { force: true });
  });
  afterAll(() => {
    world.remove();
    rmSync(dir, { recursive: true });
  });

  test("the sessions of qmail-pop3d: replies, and the files afterwards", async () => {
    const { port } = await serve();
    for (const [input, expected, after] of POP3D) {
      fill(maildir, files, UID, GID);
      const before = contents(maildir).map((file) => file.split(" ")[0]);
      expect([input, await session(port, "iain", SECRET, input)]).toEqual([input, `+OK \r\n${expected}`]);
      const names = contents(maildir).map((file) => file.split(" ")[0]);
      const left = after?.split(" ").filter((name) => !name.includes("hidden"));
      expect([input, names]).toEqual([input, left ?? before]);
    }
  });

  test.skipIf(!STOCK_QMAIL)(
    "random sessions are those of the stock qmail-pop3d",
    async () => {
      const { port } = await serve();
      const random = numbers(Number(process.env.SEED ?? 13));
      for (let i = 0; i < Number(POP3_SESSIONS); i++) {
        const [some, input] = [randomFiles(random), randomCommands(random)];
        fill(maildir, some, UID, GID);
        const own = [await session(port, "iain", SECRET, input), contents(maildir)];
        fill(maildir, some, UID, GID);
        const stock = await run(join(STOCK_QMAIL ?? "", "bin/qmail-pop3d"), ["Maildir"], {
          cwd: home,
          env: {},
          input,
          uid: UID,
        });
        expect([i, input, ...own]).toEqual([i, input, stock.stdout, contents(maildir)]);
      }
    },
    600_000,
  );

  test.each([
    ["iain", "a  secret", REFUSED],
    ["iain", "x".repeat(600), REFUSED],
    ["nobody-here", SECRET, REFUSED],
    ["nohome", SECRET, "-ERR [SYS/TEMP] unable to check the password, try again later\r\n"],
    ["root", SECRET, "-ERR [SYS/TEMP] unable to check the password, try again later\r\n"],
  ])("%s with %s: %s", async (user, password, reply) => {
    const { port } = await serve();
    expect(await session(port, user, password)).toBe(reply);
  });

  test("system accounts, unless the settings exclude them", async () => {
    const all = await serve();
    expect(await session(all.port, "joe", "system", "STAT\r\n")).toMatch(/^\+OK \r\n\+OK \d+ \d+\r\n$/);
    expect(await session(all.port, "joe", "System")).toBe(REFUSED);
    const { port } = await serve({ control: { "popd-settings": "system_accounts no\n" } });
    expect(await session(port, "joe", "system")).toBe(REFUSED);
  });

  test("APOP, AUTH PLAIN and AUTH CRAM-MD5", async () => {
    const { port } = await serve();
    const apop = new Client(connect(port, "127.0.0.1"));
    const timestamp = /<.*>/.exec(await apop.line())?.[0] ?? "";
    const digest = createHash("md5")
      .update(timestamp + SECRET)
      .digest("hex");
    expect(await apop.ask(`APOP iain ${digest}`)).toBe("+OK \r\n");
    const plain = await client(port);
    expect(await plain.ask(`AUTH PLAIN ${Buffer.from(`\0iain\0${SECRET}`).toString("base64")}`)).toBe(
      "+OK \r\n",
    );
    const cram = await client(port);
    const challenge = Buffer.from((await cram.ask("AUTH CRAM-MD5")).slice(2), "base64");
    const response = `iain ${createHmac("md5", SECRET).update(challenge).digest("hex")}`;
    expect(await cram.ask(Buffer.from(response).toString("base64"))).toBe("+OK \r\n");
    for (const each of [apop, plain, cram]) expect(await each.ask("STAT")).toBe("+OK 6 86\r\n");
    const wrong = await client(port);
    expect(await wrong.ask("AUTH PLAIN")).toBe("+ \r\n");
    expect(await wrong.ask(Buffer.from("\0iain\0x").toString("base64"))).toBe(REFUSED);
    expect(await wrong.line()).toBe("");
  });

  test("TLS with STLS and POP3S: mail readers, and passwords in the clear are refused if configured", async () => {
    const pem = certificate(dir, "localhost");
    const control = { "servercert.pem": pem, "popd-settings": "clear_passwords no\n" };
    const { port } = await serve({ control });
    const pop3s = await serve({ control, env: { POP3S: "" } });
    const ca = join(dir, "chain");
    const body = "Subject: a\r\n\r\n.dot\r\nbody\r\n";
    for (const [url, more] of [
      [`pop3://localhost:${port}/1`, ["--ssl-reqd"]],
      [`pop3s://localhost:${pop3s.port}/1`, []],
    ] as const) {
      const args = ["-sS", "--cacert", ca, "-u", `iain:${SECRET}`, ...more, url];
      expect(execFileSync("curl", args, { encoding: "latin1" }).startsWith(body)).toBe(true);
    }
    const secure = new Client(connectTls({ port: pop3s.port, host: "127.0.0.1", rejectUnauthorized: false }));
    await secure.line();
    await secure.ask("USER iain");
    await secure.ask(`PASS ${SECRET}`);
    await secure.ask("DELE 1");
    expect(await secure.ask("QUIT")).toBe("+OK \r\n");
    expect(contents(maildir).length).toBe(files.length - 1);
    // over the network: 127.0.0.1 is this machine, so the name of another address of it is used
    const address = /inet (?!127)(\d+\.\d+\.\d+\.\d+)/.exec(
      execFileSync("ip", ["-4", "addr"]).toString(),
    )?.[1];
    if (address === undefined) return;
    const far = await startPopd(world, { args: ["-y", "127.0.0.1"] });
    servers.push(far);
    const clear = new Client(connect(far.port, "127.0.0.1"));
    clear.socket.write(`PROXY TCP4 ${address} ${address} 4000 110\r\n`);
    await clear.line();
    expect(await clear.ask("USER iain")).toBe(IN_CLEAR);
    expect(await clear.ask("CAPA")).toBe("+OK \r\n");
    const lines: string[] = [];
    for (let line = await clear.line(); line !== ".\r\n"; line = await clear.line()) lines.push(line.trim());
    expect(lines).toContain("STLS");
    expect(lines).toContain("SASL CRAM-MD5");
    expect(lines).not.toContain("USER");
  });

  test.each([
    ["fetchmail", []],
    ["mpop", []],
  ])("%s by TLS", async (program) => {
    const { port } = await serve({ control: { "servercert.pem": certificate(dir, "localhost") } });
    const box = join(dir, `box-${program}`);
    const [rc, ca] = [join(dir, "rc"), join(dir, "chain")];
    if (program === "fetchmail") {
      writeFileSync(
        rc,
        `poll localhost protocol POP3 port ${port} user "iain" password "${SECRET}" sslproto "TLS1.2+" sslcertck sslcertfile "${ca}" keep fetchall mda "cat >>${box}"\n`,
      );
    } else {
      writeFileSync(
        rc,
        `account default\nhost localhost\nport ${port}\ntls on\ntls_starttls on\ntls_trust_file ${ca}\nuser iain\npassword ${SECRET}\nkeep on\nuidls_file ${box}.uids\ndelivery mbox ${box}\n`,
      );
    }
    chmodSync(rc, 0o600);
    const args = program === "fetchmail" ? ["-f", rc, "--nosyslog", "--idfile", `${box}.ids`] : ["-C", rc];
    const got = await run(`/usr/bin/${program}`, args, { env: { HOME: dir, PATH: "/usr/bin:/bin" } });
    expect([got.code, got.stderr]).toEqual([0, expect.any(String)]);
    expect(readFileSync(box, "latin1")).toContain("Subject: a");
    rmSync(box);
  });

  test("every process has the uid, gid and groups of its job, and no descriptor of another mailbox", async () => {
    const { port, pid } = await serve();
    const clients = await Promise.all(["iain", "other", "iain", "other"].map((user) => loggedIn(port, user)));
    expect(await clients[0]?.ask("NOOP")).toBe("+OK \r\n");
    const seen = new Map<string, Set<string>>();
    for (const each of family(pid)) {
      const sockets = socketsOf(each);
      const who = status(each, "Uid");
      expect([who, status(each, "Gid").split("\t")[0], status(each, "Groups")]).toEqual(
        expectedIds(uidOf(each)),
      );
      expect(new Set(who.split("\t")).size).toBe(1);
      const before = seen.get(who) ?? new Set();
      seen.set(who, new Set([...before, ...sockets]));
    }
    const [a, b] = [UID, UID + 1].map((uid) => seen.get(Array(4).fill(uid).join("\t")) ?? new Set());
    expect([a?.size, b?.size].every((size) => (size ?? 0) >= 3)).toBe(true);
    expect([...(a ?? [])].filter((socket) => b?.has(socket))).toEqual([]);
    for (const each of clients) each.socket.destroy();
  });

  test("more sessions of a login than allowed are refused, and end counts", async () => {
    const { port, logged } = await serve({ control: { "popd-settings": "sessions_per_login 2\n" } });
    const [first] = [await loggedIn(port, "iain"), await loggedIn(port, "iain")];
    expect(await session(port, "iain", SECRET)).toBe("-ERR [IN-USE] too many sessions of this login\r\n");
    await first?.ask("QUIT");
    await logged(/end .* status 0/);
    await loggedIn(port, "iain");
  });

  test("more connections of an address than -C allows are closed at once", async () => {
    const { port, logged } = await serve({ args: ["-C", "2"] });
    const [first] = [await client(port), await client(port)];
    const third = new Client(connect(port, "127.0.0.1"));
    expect(await third.line()).toBe("");
    await logged("warning: dropping connection, too many from 127.0.0.1");
    await first?.ask("QUIT");
    await logged(/end [0-9]+\.[0-9]+ status/);
    await client(port);
  });

  test("a greeting worker that sends anything gets no mail, and stops nobody else's session", async () => {
    const program = join(dir, "compromised");
    // qmaild cannot read the tree if it is in root's home.
    copyFileSync(join(import.meta.dirname, "../lib/hostile-greeter.py"), join(dir, "hostile-greeter.py"));
    writeFileSync(
      program,
      `#!/bin/sh\n[ "$PROTO" = MONITOR ] && exec ${join(BIN, "qmail-popd")} "$@"\nif mkdir ${dir}/first 2>/dev/null; then exec python3 ${dir}/hostile-greeter.py ${dir}/result; fi\nexec ${join(BIN, "qmail-popd")} "$@"\n`,
    );
    chmodSync(program, 0o755);
    chmodSync(dir, 0o777);
    const { port, pid } = await serve({ program });
    let result = "";
    for (let tries = 0; tries < 300 && result === ""; tries++) {
      await sleep(50);
      try {
        result = readFileSync(join(dir, "result"), "latin1");
      } catch {
        // it has not ended
      }
    }
    expect(result).toBe("done: no mail\n");
    const good = await loggedIn(port, "iain");
    expect(await good.ask("STAT")).toBe("+OK 6 86\r\n");
    expect(family(pid).map(uidOf)).toContain(0);
    good.socket.destroy();
  });

  test("kill -9 of each part: DELE without QUIT never deletes, QUIT once answered always has", async () => {
    const random = numbers(77);
    for (let i = 0; i < Number(POP3_KILLS); i++) {
      fill(maildir, files, UID, GID);
      const server = await serve();
      const each = await loggedIn(server.port, "iain");
      const victims = family(server.pid);
      const victim = victims[i % victims.length] ?? server.pid;
      const kill = sleep(random(12)).then(() => {
        try {
          process.kill(victim, "SIGKILL");
        } catch {
          // it has ended
        }
      });
      const replies = [await each.ask("DELE 1"), await each.ask("DELE 2")];
      const quits = random(2) === 0;
      const last = quits ? await each.ask("QUIT") : "";
      await kill;
      await sleep(20);
      const left = contents(maildir).length;
      if (!quits) expect([i, left]).toEqual([i, files.length]);
      if (last === "+OK \r\n")
        expect([i, replies, left]).toEqual([i, ["+OK \r\n", "+OK \r\n"], files.length - 2]);
      each.socket.destroy();
      await server.stop("SIGKILL");
      servers.pop();
    }
  }, 600_000);
});

/** The ids of tcpserver-sql and the greeting workers, of the processes of root, and of the mailboxes. */
function expectedIds(uid: number): unknown[] {
  const all = Array(4).fill(uid).join("\t");
  if (uid === 0) return [all, "0", expect.any(String)];
  if (uid === QMAILD) return [all, String(NOFILES), String(NOFILES)];
  const gid = String(uid === UID ? GID : GID + 1);
  return [all, gid, gid];
}

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { overOwn } from "../lib/databases.ts";
import { type MariaDb, startMariaDb } from "../lib/mariadb.ts";
import { children } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { mailboxRow } from "../lib/rows.ts";
import { type Server, startServer } from "../lib/server.ts";
import { compileSmallQueue, makeSmallQueue } from "../lib/small-queue.ts";
import { connectSmtp, type SmtpClient } from "../lib/smtp-client.ts";
import { type RunningSqld, startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// What qmail-smtpd needs is slow, full or does not answer: the reply is temporary, in time, and others are served.

const AS = ["-u", String(QMAILD), "-g", String(NOFILES)];
const UID = 64800;
const LOGIN = `AUTH PLAIN ${btoa("\0ann\0secret")}`;
const LOGIN_TROUBLE = "454 unable to check the login now, try again later (#4.7.0)";
const RCPT_TROUBLE = "451 unable to verify recipient (#4.3.0)";
const SHAPES = [[], ["-w", "1"]];
/** qmail-sqld that does not answer costs half a minute, so that this is tested by `make soak`. */
const IS_FULL = process.env.SMTP_SLOW_SESSIONS !== undefined;

const servers: Server[] = [];
afterAll(async () => {
  for (const server of servers) await server.stop("SIGKILL");
});

async function serve(
  { env }: World,
  shape: readonly string[],
  more: Readonly<Record<string, string>> = {},
  program = "tcpserver-sql",
): Promise<Server> {
  const own = ["-HRl0", "-c", "500", "-b", "500", ...AS, ...shape, "127.0.0.1", "0"];
  const server = await startServer(program, [...own, join(BIN, "qmail-smtpd")], { env: { ...env, ...more } });
  servers.push(server);
  return server;
}

async function client({ port }: Server): Promise<SmtpClient> {
  const made = await connectSmtp(port);
  expect(await made.reply()).toBe("220 h.example ESMTP");
  return made;
}

function hosts(world: World): void {
  chmodSync(world.home, 0o755);
  world.control("me", "h.example\n");
  world.control("rcpthosts", "h.example\n");
}

describe.skipIf(!isRoot)("qmail-sqld and the database", () => {
  const world = makeWorld();
  let mariadb: MariaDb;
  let sqld: RunningSqld;
  let both: Server[];
  beforeAll(async () => {
    mariadb = await startMariaDb();
    const { sql } = overOwn(mariadb).prepare(world, "timeout 2\n");
    hosts(world);
    sql(mailboxRow({ name: "ann", uid: UID, home: world.user("ann", UID), password: "secret" }));
    world.control("smtpd", "auth plain\nauth_clear yes\nrecipient_check yes\n");
    sqld = startSqld(world, "ttl 0\nnegative_ttl 0\nlogin_ttl 0\nstale 0\n");
    both = await Promise.all(SHAPES.map((shape) => serve(world, shape)));
  });
  afterAll(async () => {
    await sqld.stop("SIGKILL");
    await mariadb.stop();
    world.remove();
  });

  /** The replies to a login and to recipients, in both shapes, in this time; others are served meanwhile. */
  async function asked(login: string, known: string, unknown: string, ms: number): Promise<void> {
    const began = performance.now();
    await Promise.all(
      both.map(async (server) => {
        const [first, second, beside] = await Promise.all([client(server), client(server), client(server)]);
        await second.ask("MAIL FROM:<>");
        const replies = Promise.all([first.ask(LOGIN), second.ask("RCPT TO:<ann@h.example>")]);
        await sleep(100);
        const quick = performance.now();
        expect(await beside.ask("NOOP")).toBe("250 ok");
        expect(performance.now() - quick).toBeLessThan(500);
        expect(await replies).toEqual([login, known]);
        expect(await second.ask("RCPT TO:<nobody@h.example>")).toBe(unknown);
        for (const { socket } of [first, second, beside]) socket.destroy();
      }),
    );
    expect(performance.now() - began).toBeLessThan(ms);
  }

  const works = () =>
    asked("235 ok, go ahead (#2.7.0)", "250 ok", "550 sorry, no mailbox here by that name. (#5.1.1)", 10_000);

  test("a database that does not answer", async () => {
    await works();
    const pid = Number(readFileSync(join(mariadb.socket, "../pid"), "latin1"));
    process.kill(pid, "SIGSTOP");
    try {
      await asked(LOGIN_TROUBLE, RCPT_TROUBLE, RCPT_TROUBLE, 10_000);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await sleep(2500);
    await works();
  }, 60_000);

  const inSoak = IS_FULL ? test : () => {};
  inSoak(
    "qmail-sqld that does not answer, and something else in its place",
    async () => {
      process.kill(sqld.pid, "SIGSTOP");
      try {
        await asked(LOGIN_TROUBLE, RCPT_TROUBLE, RCPT_TROUBLE, 70_000);
      } finally {
        process.kill(sqld.pid, "SIGCONT");
      }
      await works();
      await sqld.stop("SIGKILL");
      execFileSync("rm", ["-f", sqld.socket]);
      const mute = createServer(() => {});
      await new Promise<void>((resolve) => mute.listen(sqld.socket, resolve));
      chmodSync(sqld.socket, 0o777);
      await asked(LOGIN_TROUBLE, RCPT_TROUBLE, RCPT_TROUBLE, 70_000);
      mute.close();
    },
    240_000,
  );
});

describe.skipIf(!isRoot)("descriptors and disk", () => {
  const world = makeWorld();
  beforeAll(() => hosts(world));
  afterAll(() => world.remove());

  /** CPU time of processes in seconds. */
  const used = (pids: readonly number[]) =>
    pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /, "")
        .split(" ");
      return sum + (Number(fields[11]) + Number(fields[12])) / 100;
    }, 0);

  test("a worker without free descriptors: connections are refused without a busy loop, and later accepted", async () => {
    const limited = join(world.home, "bin/limited");
    writeFileSync(
      limited,
      `#!/bin/sh
exec prlimit --nofile=64:64 '${join(BIN, "tcpserver-sql")}' "$@"
`,
    );
    chmodSync(limited, 0o755);
    const server = await serve(world, ["-w", "1"], { QMAILQUEUE: "/bin/true" }, limited);
    const first = await client(server);
    const pids = [server.pid, ...children(server.pid)];
    const all = await Promise.all(Array.from({ length: 150 }, () => connectSmtp(server.port)));
    const greetings = await Promise.all(all.map((each) => each.reply(10_000)));
    expect(greetings.filter((text) => !/^(220 |421 |$)/.test(text))).toEqual([]);
    const before = used(pids);
    await sleep(1500);
    expect(used(pids) - before).toBeLessThan(0.5);
    await first.ask("MAIL FROM:<a@b>");
    await first.ask("RCPT TO:<x@h.example>");
    expect(await first.ask("DATA")).toMatch(/^(354 |451 qqt failure)/);
    first.socket.destroy();
    for (const { socket } of all) socket.destroy();
    await sleep(1500);
    // /bin/true reads nothing: its pipe may be closed before the message is written
    expect(await (await client(server)).message("x@h.example", "body")).toMatch(/^250 250 354 (250|451)$/);
    expect(children(server.pid)).toEqual(pids.slice(1));
  }, 60_000);

  test("a full disk in the queue", async () => {
    const queue = join(world.home, "queue");
    mkdirSync(queue);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=755", "none", queue]);
    try {
      makeSmallQueue(queue);
      const program = compileSmallQueue(join(world.home, "bin"));
      for (const shape of SHAPES) {
        const server = await serve(world, shape, { QMAILQUEUE: program, SMALL_QUEUE: queue });
        const each = await client(server);
        const line = "x".repeat(900);
        await each.ask("MAIL FROM:<a@b>");
        await each.ask("RCPT TO:<x@h.example>");
        await each.ask("DATA");
        const full = `${Array<string>(3000).fill(line).join("\r\n")}\r\n.`;
        expect(await each.ask(full)).toBe("451 qq write error or disk full (#4.3.0)");
        expect(await each.message("x@h.example", "small")).toBe("250 250 354 250");
      }
    } finally {
      execFileSync("umount", ["-l", queue]);
    }
  });
});

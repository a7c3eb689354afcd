import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { overOwn } from "../lib/databases.ts";
import { freePort, startMariaDb } from "../lib/mariadb.ts";
import { children, isAlive, processesWith, signal } from "../lib/processes.ts";
import { BIN, proc } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { mailboxRow } from "../lib/rows.ts";
import { compileSmallQueue, makeSmallQueue } from "../lib/small-queue.ts";
import { makeCertificate } from "../lib/smtp-certificate.ts";
import { connectSmtp } from "../lib/smtp-client.ts";
import { judgeQueue } from "../lib/smtp-judge.ts";
import { HOST, type Load, MAILBOXES, PASSWORD, startLoad } from "../lib/smtp-load.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

// SMTP_CRASH_POINTS=300 is the full test. SMTP_CRASH_SEED repeats a run's choices, though not its timing. With
// STOCK_QMAIL=/its/home its qmail-queue is used, and the same is done to its qmail-smtpd below tcpserver.
const POINTS = Number(process.env.SMTP_CRASH_POINTS ?? 10);
const SEED = Number(process.env.SMTP_CRASH_SEED ?? Date.now() % 1_000_000);
const LIMIT = POINTS * 5000 + 60_000;
const STOCK = process.env.STOCK_QMAIL;

const CLIENTS = 12;
const UID = 64800;
const MESSAGES = 30; // between two kills, at most
const PAUSE = 20; // milliseconds after them, at most
const LOOK = 5000; // milliseconds to find a process to kill
const AGE = 5; // milliseconds of a qmail-queue that was found, at most
const RESTART = 50; // milliseconds until what was killed is started again
/** Milliseconds within which all is as before: MariaDB needs about a second to start, a worker is replaced after one. */
const RECOVERY = 10_000;

type Victim = "worker" | "qmail-queue" | "qmail-sqld" | "database" | "key process" | "tcpserver";
const VICTIMS: readonly Victim[] = [
  ...Array<Victim>(4).fill("worker"),
  ...Array<Victim>(5).fill("qmail-queue"),
  ..."qmail-sqld qmail-sqld database tcpserver".split(" "),
  "key process",
] as Victim[];

function smallQueue(dir: string): string {
  const queue = join(dir, "queue");
  makeSmallQueue(queue);
  return queue;
}

/** A copy of the home of the stock qmail with an empty queue; its programs see it in the place of that. */
function stockQueue(dir: string): string {
  const home = join(dir, "stock");
  execFileSync("cp", ["-a", STOCK ?? "", home]);
  const queue = join(home, "queue");
  for (const part of ["pid", "mess", "intd", "todo"])
    execFileSync("find", [join(queue, part), "-type", "f", "-delete"]);
  return queue;
}

/** A server that is started again when it ends, as a supervisor does. */
function supervise(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  mount: string | undefined,
) {
  const inside = mount === undefined ? 'exec "$@"' : `mount --bind '${mount}' '${STOCK}' && exec "$@"`;
  let isOver = false;
  let child: ChildProcess;
  let ended: Promise<void>;
  const start = () => {
    child = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", inside, "sh", ...argv], {
      env: { PATH: process.env.PATH ?? "", ...env },
      cwd: "/",
      stdio: "ignore",
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    ended = promise;
    child.on("exit", () => {
      resolve();
      if (!isOver) setTimeout(start, RESTART);
    });
  };
  start();
  return {
    pid: () => child.pid ?? 0,
    async stop() {
      isOver = true;
      child.kill("SIGTERM");
      await ended;
    },
  };
}

const nameOf = (pid: number): string => {
  try {
    return proc(pid, "cmdline").replaceAll("\0", " ");
  } catch {
    return "";
  }
};

/** The processes of this kind that run now. */
function find(victim: Victim, server: number): number[] {
  const own = children(server);
  if (victim === "tcpserver") return [server];
  if (victim === "key process") return own.filter((pid) => nameOf(pid).includes("--keys"));
  const sessions = own.filter((pid) => nameOf(pid).includes("qmail-smtpd"));
  return victim === "worker"
    ? sessions
    : sessions.flatMap(children).filter((pid) => /-queue/.test(nameOf(pid)));
}

/** Kills one, which a qmail-queue may escape by its end. */
async function killOne(victim: Victim, server: () => number, which: number): Promise<void> {
  for (const end = performance.now() + LOOK; performance.now() < end; await sleep(1)) {
    const all = find(victim, server()).filter(isAlive);
    const pid = all[which % all.length];
    if (pid === undefined) continue;
    if (victim === "qmail-queue") await sleep(which % AGE);
    if (isAlive(pid) && signal(pid, "SIGKILL")) return;
  }
  throw new Error(`there is no ${victim}`);
}

/** A whole transaction; true if it was accepted. */
async function works(port: number, isExtended: boolean): Promise<boolean> {
  try {
    const client = await connectSmtp(port);
    try {
      if (!(await client.reply(RECOVERY)).startsWith("220")) return false;
      if (isExtended) {
        if (!(await client.ask("STARTTLS")).startsWith("220")) return false;
        await client.encrypt();
        if (!(await client.ask(`AUTH PLAIN ${btoa(`\0u0\0${PASSWORD}`)}`)).startsWith("235")) return false;
      }
      if (!(await client.ask("MAIL FROM:<>")).startsWith("250")) return false;
      return (await client.ask(`RCPT TO:<u1@${HOST}>`)).startsWith("250");
    } finally {
      client.socket.destroy();
    }
  } catch {
    return false;
  }
}

interface Killing {
  readonly port: number;
  readonly isExtended: boolean;
  readonly server: () => number;
  readonly load: Load;
  readonly others: Partial<Record<Victim, () => Promise<void>>>;
}

/** Kills a process POINTS times, and waits each time until all is as before. */
async function killAll({ port, isExtended, server, load, others }: Killing) {
  const random = numbers(SEED);
  const kills = new Map<Victim, number>();
  const slowest = new Map<Victim, number>();
  for (let i = 0; i < POINTS; i++) {
    const victim = VICTIMS[random(VICTIMS.length)] ?? "worker";
    const [messages, pause, which] = [random(MESSAGES), random(PAUSE), random(1000)];
    const other = others[victim];
    if (!other && !isExtended && victim !== "worker" && victim !== "qmail-queue") continue;
    await load.messages(messages);
    await sleep(pause);
    const began = performance.now();
    if (other) await other();
    else await killOne(victim, server, which);
    kills.set(victim, (kills.get(victim) ?? 0) + 1);
    while (!(await works(port, isExtended))) {
      if (performance.now() - began > RECOVERY) throw new Error(`no service after the end of ${victim}`);
      await sleep(20);
    }
    slowest.set(victim, Math.max(slowest.get(victim) ?? 0, performance.now() - began));
  }
  const table = [...kills].map(
    ([victim, n]) => `${n} ${victim} (${Math.round(slowest.get(victim) ?? 0)} ms)`,
  );
  return table.sort().join(", ");
}

function tell(who: string, killed: string, load: Load, found: ReturnType<typeof judgeQueue>): void {
  console.log(
    `smtp crash, seed ${SEED}: ${who}: killed (service again after at most) ${killed}; ${load.tried.length} messages, ` +
      `${found.accepted} accepted, ${load.cut()} sessions cut short; queued without an answer ${found.unanswered}, ` +
      `queued by a qmail-queue that was killed ${found.crashed}`,
  );
}

describe.skipIf(!isRoot)("kill -9 at random moments while mail comes in", () => {
  const world = makeWorld();
  const dir = mkdtempSync(join(tmpdir(), "smtp-crash-"));
  chmodSync(dir, 0o755);
  afterAll(() => {
    world.remove();
    rmSync(dir, { recursive: true });
  });

  test(
    `${POINTS} times: what was answered with 250 is queued, whole and once, and nothing that was refused`,
    async () => {
      const mariadb = await startMariaDb();
      mariadb.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1"); // the rows are to outlive it
      const { sql } = overOwn(mariadb).prepare(world, "timeout 2\n");
      for (let i = 0; i < MAILBOXES; i++) {
        const [name, uid] = [`u${i}`, UID + i];
        sql(mailboxRow({ name, uid, home: world.user(name, uid), password: PASSWORD }));
      }
      configure(world);
      const settings = "ttl 0\nnegative_ttl 0\nlogin_ttl 0\nstale 0\n"; // all need the database
      let sqld = startSqld(world, settings);
      const queue = STOCK ? stockQueue(dir) : smallQueue(dir);
      const port = await freePort();
      const as = ["-u", String(QMAILD), "-g", String(NOFILES)];
      const server = supervise(
        [
          join(BIN, "tcpserver-sql"),
          "-HRl0",
          ...as,
          "-c",
          "60",
          "-w",
          "2",
          "127.0.0.1",
          String(port),
          join(BIN, "qmail-smtpd"),
        ],
        {
          ...world.env,
          SMALL_QUEUE: queue,
          QMAILQUEUE: STOCK ? join(STOCK, "bin/qmail-queue") : compileSmallQueue(dir),
        },
        STOCK && join(dir, "stock"),
      );
      const load = startLoad({ port, clients: CLIENTS, random: numbers(SEED + 1), isExtended: true });
      const killed = await killAll({
        port,
        isExtended: true,
        server: server.pid,
        load,
        others: {
          "qmail-sqld": async () => {
            await sqld.stop("SIGKILL");
            await sleep(RESTART);
            sqld = startSqld(world, settings);
          },
          database: async () => {
            await mariadb.crash();
            await sleep(RESTART);
            await mariadb.restart();
          },
        },
      });
      await load.stop();
      await server.stop();
      await sqld.stop();
      await mariadb.stop();
      await gone(`QMAIL_HOME=${world.home}`);
      const found = judgeQueue(queue, load.tried);
      tell(STOCK ? "ours, stock qmail-queue" : "ours", killed, load, found);
      expect([...load.wrong, ...found.wrong]).toEqual([]);
      expect(found.accepted).toBeGreaterThan(POINTS);
    },
    LIMIT,
  );
});

function configure(world: World): void {
  world.control("me", `${HOST}\n`);
  world.control("rcpthosts", `${HOST}\n`);
  world.control("smtpd", "auth plain\nauth_clear yes\nrecipient_check yes\nchunking yes\n");
  const { chain, key } = makeCertificate(HOST);
  chmodSync(world.control("servercert.pem", chain + key), 0o600);
}

/** Waits until no process has this entry in its environment. */
async function gone(entry: string): Promise<void> {
  for (let tries = 0; tries < 500 && processesWith(entry).length > 0; tries++) await sleep(10);
  expect(processesWith(entry)).toEqual([]);
}

describe.skipIf(!isRoot || !STOCK)("the same kills of a stock qmail-smtpd below tcpserver", () => {
  const dir = mkdtempSync(join(tmpdir(), "smtp-crash-stock-"));
  chmodSync(dir, 0o755);
  afterAll(() => rmSync(dir, { recursive: true }));

  test(
    `${POINTS} times`,
    async () => {
      const queue = stockQueue(dir);
      for (const file of ["me", "rcpthosts"]) {
        execFileSync("sh", ["-c", `echo ${HOST} >'${dir}/stock/control/${file}'`]);
      }
      const port = await freePort();
      const as = ["-u", String(QMAILD), "-g", String(NOFILES)];
      const server = supervise(
        [
          "tcpserver",
          "-HRl0",
          ...as,
          "-c",
          "60",
          "127.0.0.1",
          String(port),
          join(STOCK ?? "", "bin/qmail-smtpd"),
        ],
        { SMTP_CRASH: dir },
        join(dir, "stock"),
      );
      const load = startLoad({ port, clients: CLIENTS, random: numbers(SEED + 1), isExtended: false });
      const killed = await killAll({ port, isExtended: false, server: server.pid, load, others: {} });
      await load.stop();
      await server.stop();
      await gone(`SMTP_CRASH=${dir}`);
      const found = judgeQueue(queue, load.tried);
      tell("stock", killed, load, found);
      expect([...load.wrong, ...found.wrong]).toEqual([]);
      expect(readdirSync(join(queue, "pid")).length).toBeLessThan(POINTS + 1);
      expect(existsSync(join(queue, "todo"))).toBe(true);
    },
    LIMIT,
  );
});

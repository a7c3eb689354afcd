// POP3 sessions a second, at 1, 10 and 50 at a time: qmail-popd beside the stock qmail-popup and qmail-pop3d around the C
// checkpassword, our own programs run for each session, and Dovecot in its high-performance login mode, on one MariaDB
// table and the same Maildirs. Then with TLS, where stunnel is before the stock programs, and memory of idle sessions.
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/lib/mariadb.ts";
import { certificate } from "../../test/lib/pop3-random.ts";
import { startPopd } from "../../test/lib/popd.ts";
import { BIN } from "../../test/lib/program.ts";
import { startServer } from "../../test/lib/server.ts";
import { startSqld } from "../../test/lib/sqld.ts";
import { makeMaildir, type World } from "../../test/lib/world.ts";
import { load, roundOf, TOOLS, turns } from "../lib/load.ts";
import { startDovecotPop3 } from "../lib/peers.ts";
import { emit, say } from "../lib/results.ts";
import { startMail } from "../lib/worlds.ts";

const STOCK = process.env.STOCK_QMAIL;
const WARM = Number(process.env.WARM ?? 5); // seconds, until the runtime has compiled
const IDLE = Number(process.env.IDLE ?? 1000); // sessions, each of its own mailbox
const UIDS = [1, 200];
const FIRST_UID = 65_000;
const SECRET = "secret";
const LIMITS = ["-Q", "-HRDl0", "-c", "2000", "-b", "500"];

/** Mailboxes user0 ... with three messages each, of so many uids. */
function mailboxes(world: World, uids: number): string {
  const rows = Array.from({ length: IDLE }, (_, i) => {
    const uid = FIRST_UID + (i % uids);
    const home = join(world.home, `../mail${uids}/user${i}`);
    mkdirSync(home, { recursive: true });
    makeMaildir(join(home, "Maildir"), uid, uid);
    chownSync(home, uid, uid);
    chmodSync(home, 0o700);
    for (let n = 0; n < 3; n++) {
      const file = join(home, `Maildir/cur/150000000${n}.${n}.host:2,S`);
      writeFileSync(file, `Subject: ${n}\n\n${"0123456789012345678901234567890123456789\n".repeat(48)}`);
      chownSync(file, uid, uid);
      utimesSync(file, 1_500_000_000 + n, 1_500_000_000 + n);
    }
    return `('user${i}', ${uid}, ${uid}, '${home}', '${SECRET}', 'Password', 'N')`;
  });
  return `DELETE FROM mailbox; INSERT INTO mailbox VALUES ${rows.join(",\n")};`;
}

const dir = mkdtempSync(join(tmpdir(), "pop3-"));
const mail = await startMail();
const table = { socket: mail.server.socket, user: "qmail", password: "secret", name: "qmail" };

interface Way {
  readonly who: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<unknown>;
}

async function ways(): Promise<Way[]> {
  const [shared, alone] = [mail.site(), mail.site()];
  startSqld(shared);
  const resident = await startPopd(shared, { args: ["-Q"] });
  const chain = (popup: string, check: string, pop3d: string, env: Record<string, string>) =>
    startServer(
      "/usr/bin/tcpserver",
      [...LIMITS, "127.0.0.1", "0", popup, "pop.test", check, pop3d, "Maildir"],
      { env },
    );
  const own = (program: string) => join(BIN, program);
  const dovecot = await startDovecotPop3(table);
  const all: Way[] = [
    { who: "qmail-popd", ...resident },
    { who: "Dovecot", ...dovecot },
    {
      who: "our programs",
      ...(await chain(own("qmail-popup"), own("checkpassword"), own("qmail-pop3d"), shared.env)),
    },
  ];
  if (STOCK === undefined) say("pop3: STOCK_QMAIL is not set: nothing of the stock programs");
  else {
    const c = join(TOOLS, "checkpassword-mariadb");
    const bin = (program: string) => join(STOCK, "bin", program);
    all.push({
      who: "stock, C checkpassword",
      ...(await chain(bin("qmail-popup"), c, bin("qmail-pop3d"), alone.env)),
    });
  }
  return all;
}

/** The processes that serve: the server and its children. */
function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").flatMap((child) => family(Number(child))))];
}

const pss = (pids: readonly number[]): number =>
  pids
    .map((pid) => Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1]))
    .reduce((sum, kB) => sum + kB, 0);

/** Logs in; resolves when the session has begun. */
function loggedIn(port: number, user: string): Promise<Socket> {
  const lines = [`USER ${user}\r\n`, `PASS ${SECRET}\r\n`, ""];
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1").on("error", reject);
    socket.on("data", (reply) => {
      if (!reply.toString().startsWith("+OK")) return reject(new Error(`${user}: ${reply}`));
      const line = lines.shift();
      if (line === "" || line === undefined) resolve(socket);
      else socket.write(line);
    });
  });
}

async function throughput(all: readonly Way[], tls: boolean): Promise<void> {
  const sessions = ({ port }: Way, at: number, seconds: number) =>
    load("popload", [port, at, seconds, IDLE, SECRET, ...(tls ? ["tls"] : [])]);
  for (const way of all) sessions(way, 10, WARM);
  for (const at of [1, 10, 50]) {
    for (const { who, rate, median, p99 } of turns(all, (way) => sessions(way, at, roundOf(9)))) {
      emit({ at, tls, who, rate, median, p99 });
      say(
        `${tls ? "TLS, " : ""}${at} at a time: ${who.padEnd(24)} ${rate}/s, median ${median} ms, p99 ${p99} ms`,
      );
    }
  }
}

/** qmail-popd with TLS, and stunnel before the stock programs. */
async function secured(plain: readonly Way[]): Promise<Way[]> {
  const pem = certificate(dir, "localhost");
  const site = mail.site();
  startSqld(site);
  const resident = await startPopd(site, {
    args: ["-Q"],
    env: { POP3S: "" },
    control: { "servercert.pem": pem },
  });
  const stock = plain.find(({ who }) => who.startsWith("stock"));
  const port = await freePort();
  const [file, conf] = [join(dir, "pem"), join(dir, "stunnel")];
  writeFileSync(file, pem, { mode: 0o600 });
  const service = `[pop3s]\naccept = 127.0.0.1:${port}\nconnect = 127.0.0.1:${stock?.port}\ncert = ${file}\n`;
  writeFileSync(conf, `foreground = yes\npid =\ndebug = 3\n${service}`);
  const stunnel = spawn("stunnel4", [conf], { stdio: "ignore" });
  await sleep(1000);
  const own = { who: "qmail-popd", ...resident };
  if (!stock) return [own];
  return [
    own,
    { who: "stock behind stunnel", port, pid: stunnel.pid ?? 0, stop: async () => stunnel.kill() },
  ];
}

async function idle({ who, port, pid }: Way, uids: number): Promise<void> {
  const before = pss(family(pid));
  const sockets: Socket[] = [];
  for (let i = 0; i < IDLE; i += 10) {
    const some = Array.from({ length: 10 }, (_, n) => loggedIn(port, `user${i + n}`));
    sockets.push(...(await Promise.all(some)));
  }
  await sleep(2000);
  const pids = family(pid);
  const [after, processes] = [pss(pids), pids.length];
  emit({ idle: IDLE, uids, who, before, after, processes });
  say(
    `${IDLE} idle sessions, ${uids} uids: ${who.padEnd(24)} ${(after / 1024).toFixed(0)} MB in ${processes} processes`,
  );
  for (const socket of sockets) socket.destroy();
  await sleep(1000);
}

try {
  for (const uids of UIDS) {
    const world = mail.site();
    mail.server.sql(mailboxes(world, uids), "qmail");
    const all = await ways();
    if (uids === 1) {
      await throughput(all, false);
      const tls = await secured(all);
      await throughput(tls, true);
      for (const way of tls) await way.stop();
    }
    for (const way of all.slice(0, 2)) await idle(way, uids); // qmail-popd and Dovecot
    for (const way of all) await way.stop();
    rmSync(join(world.home, `../mail${uids}`), { recursive: true });
  }
} finally {
  await mail.stop();
  rmSync(dir, { recursive: true });
}

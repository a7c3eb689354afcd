// Messages a second at 1, 20 and 100 connections, one and ten messages each: qmail-smtpd in the workers of tcpserver-sql
// beside the stock one below tcpserver and Haraka, with the stock qmail-queue on a tmpfs, where fsync takes no time, and
// with a queue program that discards, then beside Postfix as well. Memory of idle sessions, and TLS handshakes beside
// openssl s_server. SMTPD names some of these to be measured; default: all.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NOFILES, QMAILD } from "../../test/lib/accounts.ts";
import { BIN } from "../../test/lib/program.ts";
import { type Server, startServer } from "../../test/lib/server.ts";
import { makeWorld } from "../../test/lib/world.ts";
import { load, roundOf, TOOLS, turns } from "../lib/load.ts";
import { type MailServer, startHaraka, startPostfix } from "../lib/mail-servers.ts";
import { median } from "../lib/measure.ts";
import { emit, say } from "../lib/results.ts";

const STOCK = process.env.STOCK_QMAIL;
const PIECES = process.env.SMTPD?.split(" ") ?? ["idle", "tls", "qmail-queue", "discard"];
const WARM = Number(process.env.WARM ?? 5); // seconds, until the runtime has compiled
const IDLE = Number(process.env.IDLE ?? 5000); // sessions
const SIZE = 2000; // bytes of a message
const PATIENCE = 10; // seconds for the clients of s_time
const LIMITS = ["-Q", "-HRl0", "-c", "8000", "-b", "1000", "-u", String(QMAILD), "-g", String(NOFILES)];

const dir = mkdtempSync(join(tmpdir(), "smtpd-"));
chmodSync(dir, 0o755);
const world = makeWorld();
world.control("me", "mx.example\n");
const servers: { stop(): Promise<unknown> }[] = [];

const listen = async (program: string, env: Record<string, string>, ...args: string[]) => {
  const server = await startServer(program, [...LIMITS, ...args], {
    env: { ...world.env, ...env },
    cwd: dir,
  });
  servers.push(server);
  return server;
};
const ours = (env: Record<string, string>, workers = 0) =>
  listen("tcpserver-sql", env, "-w", String(workers), "127.0.0.1", "0", join(BIN, "qmail-smtpd"));
const stop = async () => {
  for (const server of servers.splice(0)) await server.stop();
};
const messages = ({ port }: Pick<Server, "port">, at: number, each: number, seconds: number) =>
  load("smtpload", [port, at, seconds, each, SIZE, "alias@mx.example"]);

/** The queue of the stock qmail, on a tmpfs in the mount namespace of this process. */
function queueOnTmpfs(home: string): () => void {
  const [queue, copy] = [join(home, "queue"), join(dir, "queue")];
  execFileSync("cp", ["-a", queue, copy]);
  execFileSync("mount", ["-t", "tmpfs", "none", queue]);
  execFileSync("cp", ["-aT", copy, queue]);
  rmSync(copy, { recursive: true });
  return () => {
    for (const sub of ["mess", "intd", "todo", "pid"]) {
      execFileSync("find", [join(queue, sub), "-type", "f", "-delete"]);
    }
  };
}

async function throughput(home: string): Promise<void> {
  const empty = queueOnTmpfs(home);
  const qmailQueue = join(home, "bin/qmail-queue");
  for (const [queue, QMAILQUEUE] of [
    ["qmail-queue", qmailQueue],
    ["discard", join(TOOLS, "discard-queue")],
  ] as const) {
    if (!PIECES.includes(queue)) continue;
    const smtpd = join(home, "bin/qmail-smtpd");
    const all: { who: string; server: Pick<Server, "port"> }[] = [
      { who: "stock", server: await listen("/usr/bin/tcpserver", { QMAILQUEUE }, "127.0.0.1", "0", smtpd) },
      { who: "ours", server: await ours({ QMAILQUEUE }) },
    ];
    const add = (who: string, server: MailServer | undefined) => {
      if (!server) return say(`${who}: not fetched: not measured`);
      servers.push(server);
      all.push({ who, server });
    };
    add("Haraka", await startHaraka("qmaild", queue === "qmail-queue" ? qmailQueue : undefined));
    if (queue === "discard") add("Postfix", await startPostfix());
    for (const { server } of all.slice(1)) messages(server, 20, 1, WARM);
    for (const at of [1, 20, 100]) {
      for (const each of [1, 10]) {
        const measured = turns(all, ({ server }) => {
          empty();
          return messages(server, at, each, roundOf(9));
        });
        for (const { who, rate, median: ms, p99 } of measured) {
          emit({ queue, at, each, who, rate: rate * each, median: ms, p99 });
          say(`${queue}, ${at} at a time, ${each} each: ${who} ${rate * each}/s, p99 of a session ${p99} ms`);
        }
      }
    }
    empty();
    await stop();
  }
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

/** Connects; resolves when the greeting has come. */
function greeted(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => resolve(socket));
    socket.once("error", reject);
  });
}

async function idle(): Promise<void> {
  const server = await ours({});
  const sockets = await Promise.all(Array.from({ length: 50 }, () => greeted(server.port)));
  await sleep(1000);
  const before = pss(family(server.pid));
  for (let done = 0; done < IDLE; done += 100) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => greeted(server.port)))));
  }
  await sleep(3000);
  const kB = (pss(family(server.pid)) - before) / IDLE;
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    sockets.push(await greeted(server.port));
    times.push(performance.now() - began);
  }
  emit({ idle: IDLE, kB, greeted: Math.max(...times) });
  say(
    `${IDLE} idle sessions: ${kB.toFixed(1)} kB each, the next one greeted within ${Math.max(...times).toFixed(1)} ms`,
  );
  for (const socket of sockets) socket.destroy();
  await stop();
}

/** Full handshakes a second, of three clients at once. */
async function handshakes(port: number): Promise<number> {
  const args = ["s_time", "-new", "-connect", `127.0.0.1:${port}`, "-time", "3"];
  const all = Array.from({ length: 3 }, async () => {
    const child = spawn("openssl", args, { stdio: ["ignore", "pipe", "ignore"], timeout: PATIENCE * 1000 });
    let text = "";
    for await (const chunk of child.stdout) text += chunk;
    const [, count, seconds] = /^(\d+) connections in (\d+) real seconds/m.exec(text) ?? [];
    return Number(count) / Number(seconds);
  });
  return (await Promise.all(all)).reduce((sum, rate) => sum + rate, 0);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function tls(): Promise<void> {
  for (const [kind, ...key] of [
    ["RSA, 2048 bits", "rsa:2048"],
    ["ECDSA, P-256", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  ] as const) {
    const [cert, file] = [join(dir, "cert.pem"), join(dir, "key.pem")];
    const subject = ["-nodes", "-keyout", file, "-out", cert, "-days", "2", "-subj", "/CN=mx.example"];
    execFileSync("openssl", ["req", "-x509", "-newkey", ...key, ...subject], { stdio: "ignore" });
    world.control("servercert.pem", readFileSync(cert, "latin1") + readFileSync(file, "latin1"));
    const resident = await ours({ SMTPS: "" }, 1);
    const port = await freePort();
    const peer = spawn(
      "openssl",
      ["s_server", "-quiet", "-accept", `127.0.0.1:${port}`, "-cert", cert, "-key", file],
      {
        stdio: ["pipe", "ignore", "ignore"],
      },
    );
    await sleep(500);
    await handshakes(resident.port); // until the runtime has compiled
    const rounds: (readonly [number, number])[] = [];
    for (let i = 0; i < 3; i++) rounds.push([await handshakes(port), await handshakes(resident.port)]);
    const [theirs, own] = [0, 1].map((i) => median(rounds.map((round) => round[i] ?? 0)));
    peer.kill();
    emit({ certificate: kind, s_server: theirs ?? 0, ours: own ?? 0 });
    say(`handshakes, ${kind}: s_server ${theirs?.toFixed(0)}/s, ours ${own?.toFixed(0)}/s`);
    await stop();
  }
}

try {
  if (PIECES.includes("idle")) await idle();
  if (PIECES.includes("tls")) await tls();
  if (STOCK === undefined) say("smtpd: STOCK_QMAIL is not set: nothing to compare with");
  else await throughput(STOCK);
} finally {
  await stop();
  world.remove();
  rmSync(dir, { recursive: true });
}

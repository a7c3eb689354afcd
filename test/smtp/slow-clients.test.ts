import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { children } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { type Server, startServer } from "../lib/server.ts";
import { connectSmtp } from "../lib/smtp-client.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// SMTP_SLOW_SESSIONS=2000 is the full test, whose figures need a machine that does nothing else.
const SESSIONS = Number(process.env.SMTP_SLOW_SESSIONS ?? 200);
const IS_FULL = SESSIONS >= 2000;
const TIMEOUT = 3; // seconds: control/timeoutsmtpd
const PERIOD = 2; // seconds from one byte of a slow session to the next: less than the timeout
const HOLD = IS_FULL ? 20 : 5; // seconds that they send
const HONEST = 5; // clients
/** Milliseconds of the 99th percentile of their replies; on a machine with other load only a standstill is detected. */
const P99 = IS_FULL ? 100 : 1000;
const GROWTH = 256 + SESSIONS * 0.03; // MB of all processes together: 30 KB for each slow session

const dir = mkdtempSync(join(tmpdir(), "slow-clients-"));
const world = makeWorld();

interface Hostile {
  readonly child: ChildProcess;
  readonly result: Promise<Record<string, unknown>>;
}

function hostile(...args: readonly (string | number)[]): Hostile {
  const script = join(import.meta.dirname, "../lib/hostile-clients.py");
  const child = spawn("python3", [script, ...args.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (bytes) => {
    text += bytes;
  });
  return { child, result: new Promise((resolve) => child.on("close", () => resolve(JSON.parse(text)))) };
}

/** The times of all replies, in milliseconds, of a client that sends commands until it is stopped. */
async function honest(port: number, isOver: () => boolean, times: number[]): Promise<void> {
  const timed = async (reply: Promise<string>, begin: string) => {
    const began = performance.now();
    expect((await reply).slice(0, 3)).toBe(begin);
    times.push(performance.now() - began);
  };
  while (!isOver()) {
    const began = performance.now();
    const client = await connectSmtp(port, "127.0.0.8");
    expect((await client.reply()).slice(0, 3)).toBe("220");
    times.push(performance.now() - began);
    await timed(client.ask("EHLO me"), "250");
    await timed(client.ask("MAIL FROM:<a@b.example>"), "250");
    await timed(client.ask("RCPT TO:<x@ours.example>"), "250");
    await timed(client.ask("RCPT TO:<x@other.example>"), "553");
    await timed(client.ask("RSET"), "250");
    await timed(client.ask("QUIT"), "221");
    client.socket.destroy();
    await sleep(10);
  }
}

const descriptors = (pids: readonly number[]) => pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);

/** MB of memory of processes together; shared memory counts in part. */
function memory(pids: readonly number[]): number {
  const pss = (pid: number) =>
    /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1];
  return pids.reduce((sum, pid) => sum + Number(pss(pid)) / 1024, 0);
}

describe.skipIf(!isRoot)("clients that cost more than others", () => {
  let server: Server;
  let pids: number[];
  beforeAll(async () => {
    chmodSync(dir, 0o755);
    const discard = join(dir, "discard");
    writeFileSync(discard, "#!/bin/sh\ncat >/dev/null\ncat <&1 >/dev/null\n");
    chmodSync(discard, 0o755);
    world.control("me", "mx.example\n");
    world.control("rcpthosts", "ours.example\n");
    world.control("timeoutsmtpd", `${TIMEOUT}\n`);
    const own = ["-HRl0", "-c", "4000", "-b", "1000", "-u", String(QMAILD), "-g", String(NOFILES), "-w", "2"];
    server = await startServer("tcpserver-sql", [...own, "127.0.0.1", "0", join(BIN, "qmail-smtpd")], {
      env: { ...world.env, QMAILQUEUE: discard },
    });
    for (let i = 0; i < 20; i++) {
      const client = await connectSmtp(server.port);
      await client.reply();
      await client.message("x@ours.example", "body");
      client.socket.destroy();
    }
    pids = [server.pid, ...children(server.pid)];
  });
  afterAll(async () => {
    await server.stop("SIGKILL");
    world.remove();
    rmSync(dir, { recursive: true });
  });

  test(`${SESSIONS} slow sessions, messages of 100 MB, endless lines and 100,000 recipients beside honest clients`, async () => {
    await sleep(500);
    const before = { descriptors: descriptors(pids), memory: memory(pids) };
    const slow = hostile("slow", server.port, SESSIONS, PERIOD, HOLD);
    const others = ["big", "line", "recipients"].map((kind) => hostile(kind, server.port));
    let isOver = false;
    let most = 0;
    const times: number[] = [];
    const clients = Array.from({ length: HONEST }, () => honest(server.port, () => isOver, times));
    const watch = setInterval(() => {
      most = Math.max(most, memory(pids));
    }, 250);
    await sleep(HOLD * 1000);
    isOver = true;
    await Promise.all(clients);
    for (const { child } of others) child.stdin?.end();
    const results = [await slow.result, ...(await Promise.all(others.map(({ result }) => result)))];
    clearInterval(watch);
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
    console.log(
      `slow clients: ${times.length} replies to honest ones, p50 ${times[times.length >> 1]?.toFixed(1)} ms, ` +
        `p99 ${p99.toFixed(1)} ms, last ${times.at(-1)?.toFixed(1)} ms; memory ${before.memory.toFixed(0)} MB, at most ` +
        `${most.toFixed(0)} MB; ${JSON.stringify(results)}`,
    );
    const [end] = results;
    expect(end).toMatchObject({ left: 0, early: 0, last: ["451 timeout (#4.4.2)"] });
    expect(end?.shortest).toBeGreaterThanOrEqual(TIMEOUT - 0.1);
    expect(end?.longest).toBeLessThan(TIMEOUT + 3);
    expect(results.slice(1).map(({ replies }) => replies)).toEqual([["250"], ["502"], ["250"]]);
    expect(times.length).toBeGreaterThan(100);
    expect(p99).toBeLessThan(P99);
    expect(most - before.memory).toBeLessThan(GROWTH);
    for (let tries = 0; tries < 50 && `${descriptors(pids)}` !== `${before.descriptors}`; tries++)
      await sleep(100);
    expect(descriptors(pids)).toEqual(before.descriptors);
    expect(children(server.pid)).toEqual(pids.slice(1)); // none was replaced
  }, 180_000);
});

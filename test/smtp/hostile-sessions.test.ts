import { spawn } from "node:child_process";
import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { children } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { type Server, startServer } from "../lib/server.ts";
import { compileSmallQueue, makeSmallQueue } from "../lib/small-queue.ts";
import { makeCertificate } from "../lib/smtp-certificate.ts";
import { connectSmtp, type SmtpClient } from "../lib/smtp-client.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// Clients that want to crash, block or confuse qmail-smtpd. After all of them it serves as before, and holds nothing.

const TIMEOUT = 1; // seconds: control/timeoutsmtpd
const SOON = (TIMEOUT + 4) * 1000; // milliseconds
const MEGABYTE = 1 << 20;
const PROXY = "127.0.0.7"; // may use XCLIENT
const SHAPES = [
  ["executed for each connection", []],
  ["resident", ["-w", "1"]],
] as const;

describe.skipIf(!isRoot).each(SHAPES)("qmail-smtpd %s", (_, shape) => {
  const isResident = shape.length > 0;
  const world = makeWorld();
  const queue = join(world.home, "queue");
  let server: Server;
  let pids: number[];
  let before: number[];
  const held = () => pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
  beforeAll(async () => {
    chmodSync(world.home, 0o755);
    world.control("me", "mx.example\n");
    world.control("rcpthosts", "ours.example\n");
    world.control("timeoutsmtpd", `${TIMEOUT}\n`);
    world.control(
      "smtpd",
      `auth plain\nauth_clear yes\nauth_program /bin/false\nchunking yes\nxclient ${PROXY}\n`,
    );
    const { chain, key } = makeCertificate("mx.example");
    chmodSync(world.control("servercert.pem", chain + key), 0o600);
    makeSmallQueue(queue);
    const program = compileSmallQueue(join(world.home, "bin"));
    const own = ["-HRl0", "-c", "1000", "-b", "500", "-u", String(QMAILD), "-g", String(NOFILES), ...shape];
    server = await startServer("tcpserver-sql", [...own, "127.0.0.1", "0", join(BIN, "qmail-smtpd")], {
      env: { ...world.env, QMAILQUEUE: program, SMALL_QUEUE: queue },
    });
    const each = await client();
    await each.ask("EHLO me");
    if (isResident) await each.startTls();
    expect(await each.message("x@ours.example", "body")).toBe("250 250 354 250");
    expect(await each.ask("XCLIENT ADDR=192.0.2.1")).toMatch(/^5/);
    each.socket.destroy();
    pids = [server.pid, ...(isResident ? children(server.pid) : [])];
    await sleep(300);
    before = held();
  });
  afterAll(async () => {
    await server.stop("SIGKILL");
    world.remove();
  });

  async function client(from?: string): Promise<SmtpClient> {
    const made = await connectSmtp(server.port, from);
    expect(await made.reply()).toBe("220 mx.example ESMTP");
    return made;
  }

  /** Waits for the end of the connection. */
  async function closed(each: SmtpClient): Promise<void> {
    const end = performance.now() + SOON;
    while (!each.isClosed) {
      if (performance.now() > end) throw new Error("still open");
      await sleep(10);
    }
  }

  const TRANSACTION = "MAIL FROM:<a@b>\r\nRCPT TO:<c@ours.example>\r\n";

  test.each([
    ["AUTH with 1 MB", `AUTH PLAIN ${"A".repeat(MEGABYTE)}`, ["500 auth input too long (#5.5.6)"]],
    [
      "a response of 1 MB",
      `AUTH PLAIN\r\n${"A".repeat(MEGABYTE)}`,
      ["334 ", "500 auth input too long (#5.5.6)"],
    ],
    ["NUL as response", `AUTH PLAIN\r\n${"\0".repeat(100)}`, ["334 ", "501 malformed auth input (#5.5.2)"]],
    ["a long mechanism", `AUTH ${"X".repeat(100_000)}`, ["500 auth input too long (#5.5.6)"]],
    ["a long name", `EHLO ${"X".repeat(MEGABYTE)}\r\nEHLO me`, ["250 8BITMIME", "250 8BITMIME"]],
    ["XCLIENT of no proxy", "XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1", ["550"]],
    ["a chunk without a transaction", `BDAT 10\r\n${"x".repeat(8)}`, ["503 MAIL first (#5.5.1)"]],
  ])("%s: the connection stays usable", async (_, commands, replies) => {
    const each = await client();
    each.socket.write(`${commands}\r\n`, "latin1");
    for (const expected of replies) {
      const last = (await each.reply()).split("\r\n").at(-1) ?? "";
      expect(`${last} `.startsWith(expected) ? expected : last).toBe(expected);
    }
    expect(await each.ask("NOOP")).toBe("250 ok");
    each.socket.destroy();
  });

  test.each([
    "BDAT",
    "BDAT x",
    "BDAT -1",
    "BDAT 1e3",
    "BDAT 9999999999999999999",
    "BDAT 1 LAST x",
    "BDAT +1",
  ])("%s: what follows cannot be told from commands", async (command) => {
    const each = await client();
    expect(await each.ask(`${TRANSACTION}${command}`)).toBe("250 ok");
    expect(await each.reply()).toBe("250 ok");
    expect(await each.reply()).toBe("521 syntax error in BDAT (#5.5.4)");
    await closed(each);
  });

  test.concurrent.each([
    "BDAT 99999999999\r\nabc",
    "BDAT 100 LAST\r\nabc",
    "BDAT 3\r\nabcBDAT 5 LAST\r\nabc",
    "DATA\r\nabc\r\n.",
  ])("%j, then nothing or the end: nothing is queued", async (commands) => {
    const queued = readdirSync(join(queue, "todo"));
    const [one, two, three] = [await client(), await client(), await client()];
    for (const each of [one, two, three]) each.socket.write(`${TRANSACTION}${commands}`, "latin1");
    await sleep(100);
    two.socket.end();
    three.socket.resetAndDestroy();
    for (const each of [one, two, three]) await closed(each);
    await sleep(50);
    expect(readdirSync(join(queue, "todo"))).toEqual(queued);
    expect(readdirSync(join(queue, "intd"))).toEqual(queued);
  });

  test("XCLIENT of the proxy with what nobody can mean", async () => {
    for (const attributes of [
      "",
      "=",
      "ADDR",
      "ADDR=",
      "ADDR=1.2.3",
      "ADDR=[TEMPUNAVAIL]",
      "ADDR=IPV6:::::",
      "NAME=x",
      "FOO=bar ADDR=192.0.2.1",
      "ADDR=192.0.2.1 PORT=99999999999999",
      "ADDR=192.0.2.1 LOGIN=+",
      "ADDR=192.0.2.1 HELO=+GG",
      `ADDR=192.0.2.1 NAME=${"x".repeat(70_000)}`,
      "ADDR=192.0.2.1 NAME=+00",
    ]) {
      const each = await client(PROXY);
      const reply = await each.ask(`XCLIENT ${attributes}`);
      expect(`${attributes.slice(0, 60)}: ${reply}`).toMatch(/: (220|501|421|550|555) /);
      if (!each.isClosed && !reply.startsWith("421")) expect(await each.ask("NOOP")).toBe("250 ok");
      each.socket.destroy();
    }
  });

  test("connections that are reset at once, and many from one address: others are served", async () => {
    const idle = await Promise.all(
      Array.from({ length: isResident ? 300 : 20 }, () => connectSmtp(server.port)),
    );
    for (let n = 0; n < (isResident ? 300 : 20); n++)
      (await connectSmtp(server.port)).socket.resetAndDestroy();
    const began = performance.now();
    const each = await client("127.0.0.9");
    expect(await each.ask("NOOP")).toBe("250 ok");
    expect(performance.now() - began).toBeLessThan(SOON);
    for (const { socket } of [...idle, each]) socket.destroy();
  });

  const inWorkers = isResident ? describe : () => {}; // the others ask a TLS server in front
  inWorkers("TLS", () => {
    const HELLO = Buffer.from("1603010200010001fc0303", "hex"); // the beginning of a ClientHello of 512 bytes

    test.concurrent.each<[string, (each: SmtpClient) => void]>([
      ["nothing", () => {}],
      ["half a ClientHello", ({ socket }) => void socket.write(HELLO)],
      [
        "a byte now and then",
        ({ socket }) => {
          let at = 0;
          const timer = setInterval(() => {
            if (socket.destroyed || at === HELLO.length) clearInterval(timer);
            else socket.write(HELLO.subarray(at, ++at));
          }, 300);
        },
      ],
      ["what is no TLS", ({ socket }) => void socket.write("EHLO me\r\n".repeat(1000))],
      [
        "noise",
        ({ socket }) =>
          void socket.write(Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 7919) >> 3))),
      ],
      [
        "a ClientHello without end",
        ({ socket }) => {
          const record = Buffer.alloc(5 + 16_384, 0x41);
          record.set([0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, 3, 3]);
          for (let n = 0; n < 16; n++) socket.write(record);
        },
      ],
      [
        "an empty record again and again",
        ({ socket }) => {
          for (let n = 0; n < 10_000; n++) socket.write(Buffer.from([0x16, 3, 1, 0, 0]));
        },
      ],
    ])("STARTTLS, then %s: the connection ends in time", async (_, send) => {
      const all = await Promise.all(Array.from({ length: 20 }, () => client()));
      for (const each of all) {
        expect(await each.ask("STARTTLS")).toBe("220 ready for tls");
        send(each);
      }
      const beside = await client();
      expect(await beside.ask("NOOP")).toBe("250 ok");
      beside.socket.destroy();
      await Promise.all(all.map(closed));
    });

    test("handshakes that are reset, and clients that do not read", async () => {
      for (let n = 0; n < 30; n++) {
        const each = await client();
        expect(await each.ask("STARTTLS")).toBe("220 ready for tls");
        const secure = connectTls({ socket: each.socket, rejectUnauthorized: false });
        secure.on("error", () => {});
        await sleep(n % 5);
        each.socket.resetAndDestroy();
      }
      const mute = await client();
      await mute.startTls();
      mute.socket.pause();
      const helps = "HELP\r\n".repeat(10_000);
      for (let n = 0; n < 50; n++) mute.socket.write(helps);
      await sleep((TIMEOUT + 1) * 1000);
      mute.socket.destroy();
    });

    test("renegotiation is refused", async () => {
      const args = ["s_client", "-connect", `127.0.0.1:${server.port}`, "-starttls", "smtp", "-tls1_2"];
      const openssl = spawn("openssl", args, { stdio: ["pipe", "pipe", "pipe"] });
      let said = "";
      openssl.stdout.on("data", (text) => (said += text));
      openssl.stderr.on("data", (text) => (said += text));
      const over = new Promise((resolve) => openssl.on("close", resolve));
      for (let tries = 0; tries < 100 && !said.includes("Verify return code"); tries++) await sleep(20);
      openssl.stdin.write("R\n");
      await sleep(300);
      openssl.stdin.end();
      await over;
      expect(said).toContain("RENEGOTIATING");
      expect(said).toMatch(/no renegotiation|handshake failure|unexpected message|read:errno/);
    });
  });

  test("no descriptor is left, no process was replaced, and mail comes in", async () => {
    for (let tries = 0; tries < 50 && `${held()}` !== `${before}`; tries++) await sleep(100);
    expect(held()).toEqual(before);
    if (isResident) expect(children(server.pid)).toEqual(pids.slice(1));
    expect(await (await client()).message("x@ours.example", "body")).toBe("250 250 354 250");
    expect(server.log()).not.toMatch(/fatal|at .*\.ts|Error:/);
  });
});

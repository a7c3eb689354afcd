import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { children } from "../lib/processes.ts";
import { BIN, proc, run } from "../lib/program.ts";
import { numbers } from "../lib/random.ts";
import { type Server, startServer } from "../lib/server.ts";
import { makeCertificate } from "../lib/smtp-certificate.ts";
import { connectSmtp, SmtpClient } from "../lib/smtp-client.ts";
import { startSqld } from "../lib/sqld.ts";
import { isRoot, makeWorld, type World } from "../lib/world.ts";

const dir = mkdtempSync(join(tmpdir(), "resident-"));
const QUEUE = join(dir, "queue");
const RECORDER = join(dir, "recorder");
const servers: Server[] = [];
const worlds: World[] = [];

async function client(port: number, from = "127.0.0.1"): Promise<SmtpClient> {
  const made = await connectSmtp(port, from);
  expect(await made.reply()).toBe("220 mx.example ESMTP");
  return made;
}

interface How {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly control?: Readonly<Record<string, string>>;
  /** Is done before the server starts. */
  readonly prepare?: (world: World) => Promise<void>;
}

async function serve({ env = {}, args = [], control = {}, prepare = async () => {} }: How = {}) {
  const world = makeWorld();
  worlds.push(world);
  for (const [file, text] of Object.entries({
    me: "mx.example\n",
    rcpthosts: "ours.example\n",
    ...control,
  })) {
    chmodSync(world.control(file, text), file.includes("cert") || file.includes("key") ? 0o600 : 0o644);
  }
  await prepare(world);
  const own = [
    "-v",
    "-HRl0",
    "-c",
    "500",
    "-b",
    "500",
    "-u",
    String(QMAILD),
    "-g",
    String(NOFILES),
    "-w",
    "2",
  ];
  const server = await startServer(
    "tcpserver-sql",
    [...own, ...args, "127.0.0.1", "0", join(BIN, "qmail-smtpd")],
    { cwd: dir, env: { ...world.env, QMAILQUEUE: RECORDER, ...env } },
  );
  servers.push(server);
  return { server, port: server.port, world };
}

/** What the queue program got: its environment and envelope, and the message. */
const queued = () => readdirSync(QUEUE).map((file) => readFileSync(join(QUEUE, file), "latin1"));

const nameOf = (socket: TLSSocket) => String(socket.getPeerCertificate().subject.CN);

describe.skipIf(!isRoot)("qmail-smtpd in the workers of tcpserver-sql", () => {
  beforeAll(() => {
    chmodSync(dir, 0o755);
    mkdirSync(QUEUE);
    chmodSync(QUEUE, 0o777);
    // The message first, then the envelope: qmail-queue(8).
    writeFileSync(
      RECORDER,
      `#!/bin/sh\nexec 3<&1\ncat >${QUEUE}/.m.$$\n(env; echo --; tr '\\0' '|' <&3; echo; echo --; cat ${QUEUE}/.m.$$) >${QUEUE}/.n.$$\nrm ${QUEUE}/.m.$$\nmv ${QUEUE}/.n.$$ ${QUEUE}/$$\n`,
    );
    chmodSync(RECORDER, 0o755);
    writeFileSync(join(dir, "rules"), '127.0.0.2:allow,RELAYCLIENT="@relayed.example",WHO="relay"\n');
    const input = readFileSync(join(dir, "rules"));
    execFileSync("tcprules", ["rules.cdb", "rules.tmp"], { cwd: dir, input });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop("SIGKILL");
    for (const world of worlds.splice(0)) world.remove();
    for (const file of readdirSync(QUEUE)) rmSync(join(QUEUE, file));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test("relaying and other sessions at random: replies, envelope and environment are those of the session", async () => {
    const { port } = await serve({ args: ["-x", "rules.cdb"], env: { WHO: "anybody" } });
    const random = numbers(25);
    const sessions = Array.from({ length: 60 }, async (_, i) => {
      await sleep(random(400));
      const relays = random(2) === 0;
      const each = await client(port, relays ? "127.0.0.2" : "127.0.0.3");
      const own = `${relays ? "r" : "o"}${i}`;
      await each.ask(`HELO ${own}`);
      expect(await each.message(`x${own}@far.example`, `body ${own}`)).toBe(
        relays ? "250 250 354 250" : "250 553",
      );
      await sleep(random(100));
      expect(await each.message(`y${own}@ours.example`, `body ${own}`)).toBe("250 250 354 250");
      expect(await each.ask("QUIT")).toBe("221 mx.example");
      return relays ? 2 : 1;
    });
    const expected = (await Promise.all(sessions)).reduce((sum, n) => sum + n, 0);
    const all = queued();
    expect(all.length).toBe(expected);
    for (const text of all) {
      const own = /^body (\w+)$/m.exec(text)?.[1] ?? "";
      const relays = own.startsWith("r");
      expect(text).toContain(`(HELO ${own})`);
      expect(text).toMatch(
        new RegExp(
          `^Fs@client.example\\|T[xy]${own}@\\w+.example${relays ? "@relayed.example" : ""}\\|\\|$`,
          "m",
        ),
      );
      expect(/^RELAYCLIENT=(.*)$/m.exec(text)?.[1]).toBe(relays ? "@relayed.example" : undefined);
      expect(/^WHO=(\w+)$/m.exec(text)?.[1]).toBe(relays ? "relay" : "anybody");
      expect(/^PROTO=(\w+)$/m.exec(text)?.[1]).toBe("TCP");
      expect(/^TCPREMOTEIP=(\S+)$/m.exec(text)?.[1]).toBe(relays ? "127.0.0.2" : "127.0.0.3");
    }
  });

  test("control files take effect at the next connection", async () => {
    const { port, world } = await serve();
    const before = await client(port);
    world.control("rcpthosts", "other.example\n");
    const after = await client(port);
    for (const [each, host, codes] of [
      [before, "ours.example", "250 250 354 250"],
      [before, "other.example", "250 553"],
      [after, "ours.example", "250 553"],
      [after, "other.example", "250 250 354 250"],
    ] as const) {
      expect(await each.message(`x@${host}`, "body")).toBe(codes);
    }
  });

  test("a large message while the queue program is slow delays nobody, and arrives whole", async () => {
    const slow = join(dir, "slow");
    writeFileSync(slow, `#!/bin/sh\nsleep 1\nexec ${RECORDER}\n`);
    chmodSync(slow, 0o755);
    const { port } = await serve({ env: { QMAILQUEUE: slow } });
    const big = await client(port);
    const line = "x".repeat(998);
    const done = big.message("a@ours.example", Array(3000).fill(line).join("\r\n"));
    const times = [];
    for (let i = 0; i < 10; i++) {
      const started = performance.now();
      const each = await client(port);
      expect(await each.ask("NOOP")).toBe("250 ok");
      times.push(performance.now() - started);
      await sleep(50);
    }
    expect(Math.max(...times)).toBeLessThan(500);
    expect(await done).toBe("250 250 354 250");
    expect(queued()[0]?.split(line).length).toBe(3001);
  });

  test.each([
    [0, /^250 ok \d+ qp \d+$/],
    [31, /^554 mail server permanently rejected message \(#5\.3\.0\)$/],
    [71, /^451 mail server temporarily rejected message \(#4\.3\.0\)$/],
    [120, /^451 unable to exec qq \(#4\.3\.0\)$/],
  ])("the queue program exits with %i", async (code, reply) => {
    const program = join(dir, `exit-${code}`);
    writeFileSync(program, `#!/bin/sh\ncat >/dev/null; cat <&1 >/dev/null\nexit ${code}\n`);
    chmodSync(program, 0o755);
    const { port } = await serve({ env: { QMAILQUEUE: program } });
    const each = await client(port);
    await each.ask("MAIL FROM:<s@client.example>");
    await each.ask("RCPT TO:<a@ours.example>");
    await each.ask("DATA");
    expect(await each.ask("body\r\n.")).toMatch(reply);
  });

  describe("with TLS", () => {
    const one = makeCertificate("one.example");
    const two = makeCertificate("two.example");

    test("STARTTLS: a certificate for each name, which the workers cannot read, and others after HUP", async () => {
      const { port, server, world } = await serve({
        control: {
          tlscerts: ":control/one-cert.pem\ntwo.example:control/two-cert.pem:control/two-key.pem\n",
          "one-cert.pem": one.chain + one.key,
          "two-cert.pem": two.chain,
          "two-key.pem": two.key,
        },
      });
      const each = await client(port);
      expect(await each.ask("EHLO me")).toBe(
        "250-mx.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME",
      );
      expect(nameOf(await each.startTls())).toBe("one.example");
      expect(await each.ask("EHLO me")).toBe("250-mx.example\r\n250-PIPELINING\r\n250 8BITMIME");
      expect(await each.message("a@ours.example", "body")).toBe("250 250 354 250");
      expect(queued()[0]).toMatch(/^SSL_PROTOCOL=TLSv1\.3$/m);
      expect(queued()[0]).toContain(" with ESMTPS;");
      expect(nameOf(await (await client(port)).startTls("Two.example"))).toBe("two.example");
      expect(nameOf(await (await client(port)).startTls("three.example"))).toBe("one.example");

      const three = makeCertificate("three.example");
      chmodSync(world.control("one-cert.pem", three.chain + three.key), 0o600);
      server.signal("SIGHUP");
      for (let name = "", tries = 0; name !== "three.example"; tries++) {
        expect(tries).toBeLessThan(100);
        name = nameOf(await (await client(port)).startTls());
        await sleep(20);
      }
      expect(await each.ask("NOOP")).toBe("250 ok"); // the session before

      world.control("two-key.pem", "no key\n");
      server.signal("SIGHUP");
      await server.logged("unable to use the certificate of two.example");
      expect(nameOf(await (await client(port)).startTls("two.example"))).toBe("two.example");
    });

    test("without the process that reads the keys it exits 111, to be started again; its sessions go on", async () => {
      const { port, server } = await serve({ control: { "servercert.pem": one.chain + one.key } });
      const each = await client(port);
      await each.startTls();
      const keys = children(server.pid).find((pid) => proc(pid, "cmdline").includes("--keys"));
      process.kill(keys ?? 0, "SIGKILL");
      expect(await server.ended).toBe(111);
      expect(server.log()).toContain("tcpserver: fatal: the process that reads the certificates has ended\n");
      expect(await each.message("a@ours.example", "body")).toBe("250 250 354 250");
      expect(await each.ask("QUIT")).toBe("221 mx.example");
    });

    test("what comes in plain text behind STARTTLS is not executed: CVE-2011-0411", async () => {
      const { port } = await serve({ control: { "servercert.pem": one.chain + one.key } });
      const each = await client(port);
      each.socket.write("STARTTLS\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<a@ours.example>\r\n");
      expect(await each.reply()).toBe("220 ready for tls");
      each.socket.removeAllListeners("data");
      const secure = connectTls({ socket: each.socket, rejectUnauthorized: false });
      each.use(secure);
      expect(await each.ask("DATA")).toBe("503 MAIL first (#5.5.1)");
    });

    test("with SMTPS in the environment the first byte is TLS, 1.2 or 1.3", async () => {
      const { port } = await serve({
        control: { "servercert.pem": one.chain + one.key },
        env: { SMTPS: "" },
      });
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const secure = connectTls({
          port,
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
        });
        const each = new SmtpClient(secure);
        expect(await each.reply()).toBe("220 mx.example ESMTP");
        expect(secure.getProtocol()).toBe(version);
        expect(await each.ask("STARTTLS")).toBe("502 unimplemented (#5.5.1)");
        expect(await each.ask("QUIT")).toBe("221 mx.example");
      }
      const versions = { minVersion: "TLSv1", maxVersion: "TLSv1.1" } as const;
      const old = new SmtpClient(connectTls({ port, rejectUnauthorized: false, ...versions }));
      expect(await old.reply()).toBe("");
      const plain = new SmtpClient(connectTcp({ port, host: "127.0.0.1" }));
      plain.socket.write("EHLO me\r\n");
      expect(await plain.reply()).toBe("");
    });

    test("qmail-sqld counts sessions, replies by code and reason, and handshakes", async () => {
      const { port, server, world } = await serve({
        control: { "servercert.pem": one.chain + one.key },
        async prepare(world) {
          world.control("sqlserver", "driver sqlite\ndb users/mail.db\n");
          expect((await run("qmail-mysql", ["init"], { env: world.env })).code).toBe(0);
          startSqld(world);
        },
      });
      const each = await client(port);
      await each.startTls();
      expect(await each.message("x@far.example", "body")).toBe("250 553");
      await each.ask("QUIT");
      const junk = await client(port);
      junk.socket.write("STARTTLS\r\nQUIT\r\n");
      await junk.reply();
      junk.socket.write("no handshake\r\n");
      expect(await junk.reply()).toBe("");
      await server.stop(); // the workers report at their end
      let stats = "";
      for (let tries = 0; tries < 100 && !stats.includes('protocol="failed"'); tries++) {
        await sleep(100);
        stats = (await run("qmail-sqld", ["stats", "--prometheus"], { env: world.env })).stdout;
      }
      for (const line of [
        "smtp_sessions 2",
        'smtp_replies{code="220",reason=""} 4',
        'smtp_replies{code="553",reason="5.7.1"} 1',
        'smtp_replies{code="221",reason=""} 1',
        'smtp_handshakes{protocol="TLSv1.3"} 1',
        'smtp_handshakes{protocol="failed"} 1',
      ]) {
        expect(stats).toContain(`\nqmail_sqld_${line}\n`);
      }
    });

    test("a large message through TLS arrives whole", async () => {
      const { port } = await serve({ control: { "servercert.pem": one.chain + one.key } });
      const each = await client(port);
      await each.startTls();
      const line = "y".repeat(998);
      expect(await each.message("a@ours.example", Array(5000).fill(line).join("\r\n"))).toBe(
        "250 250 354 250",
      );
      expect(queued()[0]?.split(line).length).toBe(5001);
    });

    test("a key that does not belong to the certificate, or no file, prevents the start", async () => {
      await expect(serve({ control: { tlscerts: ":control/none.pem\n" } })).rejects.toThrow(
        /tcpserver: fatal: unable to read .*none\.pem: file does not exist/,
      );
    });
  });
});

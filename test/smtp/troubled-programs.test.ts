import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { children, processesWith } from "../lib/processes.ts";
import { BIN } from "../lib/program.ts";
import { type Server, startServer } from "../lib/server.ts";
import { connectSmtp, type SmtpClient } from "../lib/smtp-client.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

// Programs that qmail-smtpd runs and that do not do what they should: qmail-queue, plug-ins, RCPTCHECK.

const LIMIT = 1; // second: program_timeout
const SHAPES = [
  ["executed for each connection", []],
  ["resident", ["-w", "1"]],
] as const;

describe.skipIf(!isRoot).each(SHAPES)("qmail-smtpd %s", (_, shape) => {
  const world = makeWorld();
  const servers: Server[] = [];
  const file = (name: string) => join(world.home, name);
  beforeAll(() => {
    chmodSync(world.home, 0o755);
    mkdirSync(file("programs"));
    world.control("me", "mx.example\n");
    world.control("rcpthosts", "ours.example\n");
    world.control("smtpd", `program_timeout ${LIMIT}\n`);
  });
  afterAll(async () => {
    for (const server of servers) await server.stop("SIGKILL");
    world.remove();
  });

  function program(name: string, script: string): string {
    writeFileSync(file(`programs/${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(file(`programs/${name}`), 0o755);
    return file(`programs/${name}`);
  }

  async function serve(env: Readonly<Record<string, string>>): Promise<Server> {
    const own = ["-HRl0", "-c", "100", "-u", String(QMAILD), "-g", String(NOFILES), ...shape];
    const server = await startServer("tcpserver-sql", [...own, "127.0.0.1", "0", join(BIN, "qmail-smtpd")], {
      env: { ...world.env, ...env },
    });
    servers.push(server);
    return server;
  }

  async function client({ port }: Server): Promise<SmtpClient> {
    const made = await connectSmtp(port);
    expect(await made.reply()).toBe("220 mx.example ESMTP");
    return made;
  }

  /** Its replies to MAIL, RCPT, DATA and the message, up to the first that refuses. */
  async function transaction(each: SmtpClient, lines: readonly string[] = ["Subject: x", "", "body"]) {
    const commands = [
      "MAIL FROM:<joe@a>",
      "RCPT TO:<ann@ours.example>",
      "DATA",
      [...lines, "."].join("\r\n"),
    ];
    let reply = "";
    for (const command of commands) {
      reply = await each.ask(command);
      if (!/^[23]/.test(reply)) return reply;
    }
    return reply;
  }

  describe("qmail-queue", () => {
    const READ = "cat >/dev/null; cat <&1 >/dev/null";

    test("every exit code: the reply of stock's table", async () => {
      const script = `code=$(sed -n 's/^Subject: //p'); cat <&1 >/dev/null; exit $code`;
      const each = await client(await serve({ QMAILQUEUE: program("exits", script) }));
      for (let code = 0; code < 256; code++) {
        // qmail.c: 0 is success, 11 to 40 are permanent, and 115
        const expected = code === 0 ? 250 : (code >= 11 && code <= 40) || code === 115 ? 554 : 451;
        const reply = await transaction(each, [`Subject: ${code}`]);
        expect([code, Number(reply.slice(0, 3))]).toEqual([code, expected]);
      }
      expect(await each.ask("QUIT")).toBe("221 mx.example");
    }, 60_000);

    test.concurrent.each([
      ["is killed", `${READ}; kill -9 $$`, "451 qq crashed (#4.3.0)"],
      ["closes its descriptors", "exec </dev/null 1>&2; sleep 0.2; exit 0", "451 qq read error (#4.3.0)"],
      ["does not read the message", "exec 0<&-; cat <&1 >/dev/null; exit 0", "451 qq read error (#4.3.0)"],
      ["has a lot to say", `${READ}; yes Dno | head -c 1000000 >&6; exit 82`, "554 no"],
    ])("%s", async (name, script, reply) => {
      const body = Array<string>(3000).fill("x".repeat(70)); // more than a pipe holds
      const each = await client(
        await serve({ QMAILQUEUE: program(`queue-${name.replaceAll(" ", "-")}`, script) }),
      );
      const began = performance.now();
      expect((await transaction(each, body)).split("\n")[0]?.trimEnd()).toBe(reply);
      expect(performance.now() - began).toBeLessThan(5000);
    });
  });

  describe("a plug-in", () => {
    const failed = (name: string) => `451 qmail-spp failure: ${name}: child crashed (#4.3.0)`;
    test.concurrent.each([
      ["never ends", "sleep 1000", failed],
      ["closes its output and never ends", "exec >&-; exec sleep 1000", failed],
      ["prints without end", "exec yes X", () => "250 ok"],
      ["prints, ignores that nobody reads, and never ends", "head -c 100000 /dev/zero; sleep 1000", failed],
      ["ends, but not one that it has started", "sleep 1000 & exit 0", () => "250 ok"],
      ["floods the log", "head -c 300000 /dev/zero | tr '\\0' x >&2; echo; echo 'E550 no'", () => "550 no"],
      ["prints NUL", "printf 'X\\0\\nE550 no\\0no\\n'", () => "550 no\0no"],
    ])("%s", async (name, script, expected) => {
      const own = `plugin-${name.replaceAll(/[ ,]+/g, "-")}`;
      const path = program(own, script);
      world.control(own, `[mail]\n${path}\n`);
      const server = await serve({ SPPCONFFILE: `control/${own}` });
      const each = await client(server);
      const began = performance.now();
      const [reply, other] = await Promise.all([
        each.ask("MAIL FROM:<joe@a>"),
        client(server).then((beside) => beside.ask("NOOP")),
      ]);
      expect(reply).toBe(expected(path));
      expect(other).toBe("250 ok");
      expect(performance.now() - began).toBeLessThan(LIMIT * 1000 + 3000);
      expect(await each.ask("NOOP")).toBe("250 ok");
    });
  });

  test.concurrent.each([
    ["never ends", "sleep 1000"],
    ["closes its output and never ends", "exec >&-; exec sleep 1000"],
  ])("a program in RCPTCHECK that %s", async (name, script) => {
    const server = await serve({ RCPTCHECK: program(`check-${name.replaceAll(" ", "-")}`, script) });
    const each = await client(server);
    expect(await transaction(each)).toBe("421 unable to execute recipient check (#4.3.0)");
  });

  test("no descriptor and no program is left", async () => {
    world.control("slow", `[mail]\n${program("slow", "sleep 1000")}\n`);
    const server = await serve({ SPPCONFFILE: "control/slow", MARK: world.home });
    const once = async () => {
      const each = await client(server);
      await transaction(each);
      each.socket.destroy();
    };
    await once();
    const pids = [server.pid, ...(shape.length > 0 ? children(server.pid) : [])];
    const count = () => pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
    await sleep(200);
    const before = count();
    await Promise.all(Array.from({ length: 8 }, once));
    for (let tries = 0; tries < 30 && `${count()}` !== `${before}`; tries++) await sleep(100);
    expect(count()).toEqual(before);
    expect(processesWith(`MARK=${world.home}`).length).toBe(pids.length);
  });
});

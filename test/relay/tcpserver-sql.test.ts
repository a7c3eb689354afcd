import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOFILES, QMAILD } from "../lib/accounts.ts";
import { BIN, run } from "../lib/program.ts";
import { ignored, type Server, startServer, talk } from "../lib/server.ts";
import { isRoot } from "../lib/world.ts";

const STOCK = "/usr/bin/tcpserver";
const OURS = "tcpserver-sql";
const DNS = "127.53.0.1";
const dir = mkdtempSync(join(tmpdir(), "tcpserver-"));
const SHOW = 'env | grep -vE "^(PWD|SHLVL|_|OLDPWD)=" | LC_ALL=C sort';

/** cdb's table for a key: cr.yp.to/cdb/cdb.txt. */
const tableOf = (key: string) =>
  [...key].reduce((hash, c) => ((hash * 33) ^ c.charCodeAt(0)) >>> 0, 5381) & 255;

/** The response of an ident server, by the last octet of an address. */
const ODD_IDENTS: Readonly<Record<number, string>> = {
  31: "1,2:ERROR:NO-USER\r\n",
  32: "1,2:USERID:UNIX: a b\tc:d\r\n",
  33: `1,2:USERID:UNIX:${"x".repeat(300)}\r\n`,
  34: "1,2:USERID:UNIX:nul\0nul\r\n",
  35: "",
  36: "\r\n",
  37: "1,2:USERID:UNIX:unfinished",
  38: `1,2:USERID:UNIX:${"x".repeat(300)}`,
  39: "1:2:3:\xff\x01%\n",
  40: "1,2:USERID:UNIX:\n",
};

/** Names that no host should have: their labels, by the last octet of an address. */
const ODD_NAMES: Readonly<Record<number, readonly string[]>> = {
  11: ["a b", "c:d%e", "EXAMPLE"],
  12: ["a.b", "back\\slash", "x=1"],
  13: ["$(id)`;\"'&|<>", "tab\tnew\nline", "_-Z9"],
  14: ["\x01\x7f", "\x80\xff", "caf\xc3\xa9"],
  15: [], // the root
  16: ["nul\0nul"],
  17: ["1", "2", "3", "4"],
  18: ["@", "(c)", "*"],
  19: ["l".repeat(63), "l".repeat(63), "l".repeat(63), "l".repeat(61)],
  20: ["dot.", "last dot."],
};

const oddAddress = (name: string, type: number | undefined): Buffer<ArrayBuffer> | undefined => {
  const [octet] =
    Object.entries(ODD_NAMES).find(([, labels]) => labels.join(".").toLowerCase() === name) ?? [];
  return octet === undefined || type !== 1 ? undefined : Buffer.from([127, 0, 0, Number(octet)]);
};

/** A name server for 127.0.0.0/8: .1 is Client.Example., which is .1; .2 claims to be it as well; others are nobody. */
function nameServer(): Promise<() => void> {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (; query[at]; at += (query[at] ?? 0) + 1) {
      labels.push(query.toString("latin1", at + 1, at + 1 + (query[at] ?? 0)));
    }
    const end = at + 5;
    const name = labels.join(".").toLowerCase();
    const wire = (text: string) =>
      Buffer.concat([...text.split("."), ""].map((part) => Buffer.from([part.length, ...Buffer.from(part)])));
    const odd = ODD_NAMES[Number(/^(\d+)\.0\.0\.127\.in-addr\.arpa$/.exec(name)?.[1])];
    const oddWire =
      odd && Buffer.from([...odd, ""].map((l) => String.fromCharCode(l.length) + l).join(""), "latin1");
    const isKnown = name === "1.0.0.127.in-addr.arpa" || name === "2.0.0.127.in-addr.arpa";
    const data: Buffer<ArrayBuffer> | undefined = isKnown
      ? wire("Client.Example")
      : name === "client.example" && query[end - 3] === 1
        ? Buffer.from([127, 0, 0, 1])
        : (oddWire ?? oddAddress(name, query[end - 3]));
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(data ? 0x8580 : 0x8583, 2); // an answer with authority; NXDOMAIN
    header.writeUInt16BE(data ? 1 : 0, 6);
    header.fill(0, 8);
    const parts = [header, query.subarray(12, end)];
    if (data) {
      const fixed = Buffer.from([0xc0, 12, 0, query[end - 3] ?? 0, 0, 1, 0, 0, 0, 60, 0, data.length]);
      parts.push(fixed, data);
    }
    socket.send(Buffer.concat(parts), from.port, from.address);
  });
  return new Promise((resolve) => socket.bind(53, DNS, () => resolve(() => socket.close())));
}

/** What is different every time: pids, the ports of clients and the one of this server. */
function steady(text: string, port: number): string {
  return text
    .replaceAll(String(port), "PORT")
    .replace(/\b(pid|ok|deny|end) \d+/g, "$1 PID")
    .replace(/(:[^: ]*:)\d+$/gm, "$1CLIENT")
    .replace(/^(TCPREMOTEPORT=)\d+$/gm, "$1CLIENT");
}

/** A server with -v on both makes in turn: what its clients see, what it logs, how it ends. */
async function both(
  args: readonly string[],
  clients: (server: Server) => Promise<unknown>,
  env = {},
  programs = [STOCK, OURS],
) {
  const outcomes = [];
  for (const program of programs) {
    const server = await startServer(program, args, {
      cwd: dir,
      env: { DNSCACHEIP: DNS, PLAIN: "x", TCPREMOTEHOST: "stale", TCPREMOTEINFO: "stale", ...env },
    });
    try {
      const seen = await clients(server);
      const end = await server.stop();
      outcomes.push(
        steady(
          JSON.stringify({ seen, log: server.log(), end }, null, 1).replaceAll("\\n", "\n"),
          server.port,
        ),
      );
    } finally {
      await server.stop("SIGKILL");
    }
  }
  return outcomes as [string, string];
}

const one = async (server: Server) => {
  const seen = await talk(server.port);
  await server.logged(/end \d+ status|^$|warning/m).catch(() => {});
  await sleep(30);
  return seen;
};

describe.skipIf(!isRoot)("tcpserver-sql beside ucspi-tcp's tcpserver", () => {
  let stopDns = () => {};
  let ident: ReturnType<typeof createServer>;
  beforeAll(async () => {
    chmodSync(dir, 0o755);
    stopDns = await nameServer();
    ident = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => {
        const [theirs = "", own = ""] = data
          .toString()
          .trim()
          .split(/\s*,\s*/);
        socket.end(`${theirs} , ${own} : USERID : UNIX : some one\r\n`);
      });
    });
    await new Promise<void>((resolve) => ident.listen(113, "127.0.0.1", resolve));
    const rules = (name: string, text: string) =>
      execFileSync("tcprules", [join(dir, name), join(dir, "tmp")], { input: text });
    rules(
      "ip.cdb",
      '127.0.0.1:allow,RULE="ip",TCPLOCALHOST="mine",PLAIN="y"\n127.:deny\n:allow,RULE="default"\n',
    );
    rules("prefix.cdb", '127.0.:allow,RULE="a.b."\n127.:allow,RULE="a."\n:deny\n');
    rules(
      "host.cdb",
      '=client.example:allow,RULE="host"\n=.example:allow,RULE="domain"\n=:allow,RULE="any"\n:deny\n',
    );
    rules("domain.cdb", '=.example:allow,RULE="domain"\n:deny\n');
    rules("named.cdb", '=:allow,RULE="any"\n:deny\n');
    rules(
      "info.cdb",
      'someone@=client.example:allow,RULE="no"\nsomeone@127.0.0.1:allow,RULE="someone"\n127.:allow,RULE="ip"\n',
    );
    rules(
      "odd-info.cdb",
      '@127.0.0.31:allow,RULE="empty"\nnul@127.0.0.34:allow,RULE="nul"\n:allow,RULE="other"\n',
    );
    rules("proto.cdb", ':allow,__proto__="x",constructor="y",A="1",A="2",=",,"\n');
    rules("deny.cdb", '127.0.0.1:deny,X="1"\n:allow\n');
    rules("relay.cdb", '127.:allow,RELAYCLIENT=""\n');
    rules("empty-rules.cdb", "");
    // one table's pointer leads behind the end: the one that 127.0.0.1 is in, and any other
    for (const [name, isOurs] of [
      ["damaged.cdb", true],
      ["damaged-elsewhere.cdb", false],
    ] as const) {
      const file = readFileSync(join(dir, "ip.cdb"));
      const table = tableOf("127.0.0.1");
      const used = ["", "127.", "127.0.", "127.0.0."].map(tableOf);
      for (let n = 0; n < 256; n++) {
        if (isOurs ? n === table : n !== table && !used.includes(n)) file.writeUInt32LE(0xfffffff0, 8 * n);
        if (!isOurs && n !== table && !used.includes(n)) file.writeUInt32LE(7, 8 * n + 4);
      }
      writeFileSync(join(dir, name), file);
    }
    writeFileSync(join(dir, "zero.cdb"), "");
    writeFileSync(join(dir, "cut.cdb"), Buffer.alloc(1000));
    writeFileSync(join(dir, "junk.cdb"), "junk".repeat(1000));
    const limited = `#!/bin/sh\nulimit -v 400000; exec ${join(BIN, OURS)} "$@"\n`;
    writeFileSync(join(dir, "limited"), limited, { mode: 0o755 });
    writeFileSync(join(dir, "noexec"), "#!/bin/sh\n");
  });
  afterAll(() => {
    stopDns();
    ident.close();
    rmSync(dir, { recursive: true });
  });

  const sh = (script: string) => ["127.0.0.1", "0", "sh", "-c", script];
  const quiet = ["-HRl0"];
  test.each<[string, readonly string[], object?]>([
    ["the plain environment", ["-v", ...quiet, ...sh(SHOW)]],
    ["names and ident", ["-v", ...sh(SHOW)]],
    ["-H", ["-vHR", ...sh(SHOW)]],
    ["-h after -H", ["-vHhR", ...sh(SHOW)]],
    ["-R", ["-vR", ...sh(SHOW)]],
    ["-p, the name is the address's", ["-vRp", ...sh(SHOW)]],
    ["-P after -p", ["-vRpP", ...sh(SHOW)]],
    ["-r after -R, -t", ["-vHRr", "-t", "3", ...sh(SHOW)]],
    ["-l", ["-vHR", "-l", "Mail.Example", ...sh(SHOW)]],
    ["-l of odd bytes", ["-vHR", "-l", `a b:c%\x7f${"l".repeat(200)}`, ...sh(SHOW)]],
    ["-l of nothing", ["-vHR", "-l", "", ...sh(SHOW)]],
    ["-B", ["-v", ...quiet, "-B", "220 wait\r\n", ...sh("echo after")]],
    ["-D", ["-v", ...quiet, "-D", ...sh("echo x")]],
    ["-o", ["-v", ...quiet, "-od", ...sh("echo x")]],
    ["-q", ["-q", ...quiet, "127.0.0.1", "0", "./nonesuch"]],
    ["-Q", ["-Q", ...quiet, "127.0.0.1", "0", "./nonesuch"]],
    ["-v", ["-v", ...quiet, "127.0.0.1", "0", "./nonesuch"]],
    ["a program that may not be run", ["-v", ...quiet, "127.0.0.1", "0", "./noexec"]],
    ["a program that is in no directory of the path", ["-v", ...quiet, "127.0.0.1", "0", "nonesuch"]],
    ["exit 3", ["-v", ...quiet, ...sh("exit 3")]],
    ["exit 100", ["-v", ...quiet, ...sh("exit 100")]],
    ["a killed program", ["-v", ...quiet, ...sh("kill -9 $$")]],
    ["-c", ["-v", "-c", "7x", ...quiet, ...sh("echo x")]],
    ["-b", ["-v", "-b", "3", ...quiet, ...sh("echo x")]],
    ["bundled options and --", ["-vHRl0", "-c5", "--", ...sh(SHOW)]],
    ["-g and -u", ["-v", ...quiet, "-g", `${NOFILES}`, "-u", `${QMAILD}`, ...sh("id -u; id -g; id -G")]],
    ["-U", ["-vU", ...quiet, ...sh("id -u; id -g; id -G")], { UID: `${QMAILD}`, GID: `${NOFILES}` }],
    ["an inherited RELAYCLIENT", ["-v", ...quiet, ...sh(SHOW)], { RELAYCLIENT: "@x" }],
    ["-x: an address's rule", ["-v", ...quiet, "-x", "ip.cdb", ...sh(SHOW)]],
    ["-x: the longest prefix", ["-v", ...quiet, "-x", "prefix.cdb", ...sh(SHOW)]],
    ["-x: a host's rule", ["-vRl0", "-x", "host.cdb", ...sh(SHOW)]],
    ["-x: a domain's rule", ["-vRl0", "-x", "domain.cdb", ...sh(SHOW)]],
    ["-x: any host's rule", ["-vRl0", "-x", "named.cdb", ...sh(SHOW)]],
    ["-x: any host's rule without a host", ["-vHRl0", "-x", "named.cdb", ...sh(SHOW)]],
    ["-x: ident's rule", ["-vHl0", "-x", "info.cdb", ...sh(SHOW)]],
    ["-x: variables of odd names", ["-v", ...quiet, "-x", "proto.cdb", ...sh(SHOW)]],
    ["-x: denied", ["-v", ...quiet, "-x", "deny.cdb", ...sh(SHOW)]],
    ["-x: denied after the banner", ["-v", ...quiet, "-B", "hello", "-x", "deny.cdb", ...sh(SHOW)]],
    ["-x: no rule at all", ["-v", ...quiet, "-x", "empty-rules.cdb", ...sh(SHOW)]],
    ["-x: RELAYCLIENT", ["-v", ...quiet, "-x", "relay.cdb", ...sh(SHOW)]],
    ["-x: a missing file", ["-v", ...quiet, "-x", "none.cdb", ...sh(SHOW)]],
    ["-x: a missing file, -q", ["-q", ...quiet, "-x", "none.cdb", ...sh(SHOW)]],
    ["-X: a missing file", ["-v", ...quiet, "-X", "-x", "none.cdb", ...sh(SHOW)]],
    ["-x: an empty file", ["-v", ...quiet, "-X", "-x", "zero.cdb", ...sh(SHOW)]],
    ["-x: a cut file", ["-v", ...quiet, "-x", "cut.cdb", ...sh(SHOW)]],
    ["-x: a file that is damaged where it is looked at", ["-v", ...quiet, "-x", "damaged.cdb", ...sh(SHOW)]],
    ["-x: one that is damaged elsewhere", ["-v", ...quiet, "-x", "damaged-elsewhere.cdb", ...sh(SHOW)]],
    ["-x: another file", ["-v", ...quiet, "-x", "junk.cdb", ...sh(SHOW)]],
  ])("%s", async (_, args, env) => {
    const [stock, ours] = await both(args, one, env);
    expect(ours).toBe(stock);
  });

  // Below 3 GB of address space the runtime cannot generate code, and cannot call the C library.
  test.each<[string, readonly string[], object?]>([
    ["the plain environment", ["-v", ...quiet, ...sh(SHOW)]],
    ["names and ident", ["-v", ...sh(SHOW)]],
    ["-B, -D", ["-v", ...quiet, "-D", "-B", "220 wait\r\n", ...sh("echo after")]],
    ["a missing program", ["-v", ...quiet, "127.0.0.1", "0", "./nonesuch"]],
    ["a program that may not be run", ["-v", ...quiet, "127.0.0.1", "0", "./noexec"]],
    ["exit 3", ["-v", ...quiet, ...sh("exit 3")]],
    ["a killed program", ["-v", ...quiet, ...sh("kill -9 $$")]],
    ["-g and -u", ["-v", ...quiet, "-g", `${NOFILES}`, "-u", `${QMAILD}`, ...sh("id -u; id -g; id -G")]],
    ["-x: an address's rule", ["-v", ...quiet, "-x", "ip.cdb", ...sh(SHOW)]],
    ["-x: denied", ["-v", ...quiet, "-x", "deny.cdb", ...sh(SHOW)]],
  ])("with 400 MB of address space: %s", async (_, args, env) => {
    const [stock, ours] = await both(args, one, env, [STOCK, join(dir, "limited")]);
    expect(ours).toBe(stock);
  });

  test("with 400 MB of address space: at the -c limit clients wait; SIGTERM", async () => {
    const server = await startServer(join(dir, "limited"), [
      "-v",
      "-c",
      "2",
      ...quiet,
      ...sh("sleep 0.1; echo done"),
    ]);
    const all = await Promise.all(Array.from({ length: 10 }, () => talk(server.port)));
    expect(all).toEqual(Array(10).fill("done\n"));
    expect(server.log()).not.toContain("status: 3/2");
    const last = talk(server.port);
    await sleep(50);
    expect(await server.stop()).toBe(0);
    expect(await last).toBe("done\n");
  });

  test("-p: a name that is another address's", async () => {
    const [stock, ours] = await both(["-vRpl0", "-x", "host.cdb", "0", "0", "sh", "-c", SHOW], (server) =>
      talk(server.port, { host: "127.0.0.2", from: "127.0.0.2" }).then((seen) => sleep(50).then(() => seen)),
    );
    expect(ours).toBe(stock);
  });

  test.each(Object.entries(ODD_IDENTS))("the ident reply of 127.0.0.%s: %j", async (octet, reply) => {
    const from = `127.0.0.${octet}`;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.end(reply, "latin1"));
    });
    await new Promise<void>((resolve) => server.listen(113, from, resolve));
    try {
      const [stock, ours] = await both(
        ["-vHl0", "-x", "odd-info.cdb", "127.0.0.1", "0", "sh", "-c", SHOW],
        (each) => talk(each.port, { from }).then((seen) => sleep(50).then(() => seen)),
      );
      expect(ours).toBe(stock);
    } finally {
      server.close();
    }
  });

  test.each(Object.entries(ODD_NAMES))("the odd name of 127.0.0.%s: %j", async (octet) => {
    const from = `127.0.0.${octet}`;
    for (const options of ["-vRl0", "-vRpl0"]) {
      const [stock, ours] = await both([options, "127.0.0.1", "0", "sh", "-c", SHOW], (server) =>
        talk(server.port, { from }).then((seen) => sleep(50).then(() => seen)),
      );
      expect(ours).toBe(stock);
    }
  });

  test.each([
    [[]],
    [["0"]],
    [["0", "1"]],
    [["-Z", "0", "1", "true"]],
    [["-c"]],
    [["-vx"]],
    [["--", "0", "1"]],
    [["0", "nosuchservice", "true"]],
    [["nosuch.invalid", "", "true"]],
    [["nosuch.invalid", "1", "true"]],
    [["192.0.2.1", "12345", "true"]],
    [["-q", "192.0.2.1", "12345", "true"]],
  ])("a start that fails: %j", async (args) => {
    const [stock, ours] = [await run(STOCK, args), await run(OURS, args)];
    expect(ours.code).toBe(stock.code);
    expect(
      ours.stderr
        .replace("-1mSU", "-1U")
        .replace(" [ -C limit ]", "")
        .replace(" [ -w workers ] [ -y proxies ]", ""),
    ).toBe(stock.stderr);
  });

  test("a port that is taken", async () => {
    const server = await startServer(OURS, [...quiet, "127.0.0.1", "0", "true"]);
    const args = ["127.0.0.1", String(server.port), "true"];
    const [stock, ours] = [await run(STOCK, args), await run(OURS, args)];
    expect([ours.code, ours.stderr]).toEqual([stock.code, stock.stderr]);
    expect([ours.code, ours.stderr]).toEqual([
      111,
      "tcpserver: fatal: unable to bind: address already used\n",
    ]);
    await server.stop();
  });

  test("a child's descriptors and signals", async () => {
    const seen: string[][] = [];
    for (const program of [STOCK, OURS]) {
      // no shell: one would show its own pipes and the mask it waits with
      const fds = await startServer(program, [...quiet, "127.0.0.1", "0", "ls", "-l", "/proc/self/fd"]);
      const list = (await talk(fds.port)).matchAll(/(\d+) -> (\w+)/g);
      await fds.stop();
      const files = ["/proc/self/status", "/proc/self/fdinfo/0", "/proc/self/fdinfo/1"];
      const status = await startServer(program, [...quiet, "127.0.0.1", "0", "cat", ...files]);
      const text = await talk(status.port);
      await status.stop();
      const kept = text.split("\n").filter((line) => /^(flags|Sig(Blk|Cgt|Pnd)|Umask)/.test(line));
      seen.push([...[...list].map(([, fd, what]) => `${fd} ${what}`), ...kept, String(ignored(text))]);
    }
    expect(seen[0]).toContain("0 socket");
    expect(seen[1]).toEqual(seen[0]);
  });

  test("bytes that are no UTF-8 reach the child as they are", async () => {
    const seen: string[] = [];
    for (const program of [STOCK, join(BIN, OURS)]) {
      const wrapper = join(dir, "odd");
      const script = `#!/bin/sh\nexec env "$(printf 'ODD=\\351\\377')" ${program} "$@" "$(printf 'echo \\351; env')"\n`;
      writeFileSync(wrapper, script, { mode: 0o755 });
      const server = await startServer(wrapper, [...quiet, "127.0.0.1", "0", "sh", "-c"]);
      seen.push(
        (await talk(server.port))
          .split("\n")
          .filter((line) => /[\x80-\xff]/.test(line))
          .join("\n"),
      );
      await server.stop();
    }
    expect(seen[0]).toBe("\xe9\nODD=\xe9\xff");
    expect(seen[1]).toBe(seen[0]);
  });

  test("-c: at the limit clients wait, and none is lost", async () => {
    const server = await startServer(OURS, ["-v", "-c", "2", ...quiet, ...sh("sleep 0.1; echo done")]);
    const all = await Promise.all(Array.from({ length: 10 }, () => talk(server.port)));
    expect(all).toEqual(Array(10).fill("done\n"));
    await sleep(100);
    expect(server.log()).not.toContain("status: 3/2");
    expect(server.log().trimEnd().endsWith("status: 0/2")).toBe(true);
    expect(await server.stop()).toBe(0);
  });

  test("slow clients at the limit hold it, and no longer than they live", async () => {
    const server = await startServer(OURS, ["-v", "-c", "3", ...quiet, "127.0.0.1", "0", "cat"]);
    const { createConnection } = await import("node:net");
    const slow = Array.from({ length: 3 }, () => createConnection(server.port, "127.0.0.1"));
    await server.logged("status: 3/3");
    const waiting = talk(server.port, { input: "hello" });
    const more = Array.from({ length: 15 }, () =>
      createConnection(server.port, "127.0.0.1").on("error", () => {}),
    );
    await sleep(200);
    expect(server.log()).not.toContain("4/3");
    for (const each of [...slow, ...more]) each.destroy();
    expect(await waiting).toBe("hello");
    expect(await server.stop()).toBe(0);
  });

  test("SIGTERM ends it at once with 0; its children finish", async () => {
    const server = await startServer(OURS, [...quiet, ...sh("echo begun; sleep 0.5; echo done")]);
    const client = talk(server.port);
    await sleep(200);
    const started = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - started).toBeLessThan(300);
    await expect(talk(server.port)).rejects.toThrow();
    expect(await client).toBe("begun\ndone\n");
  });

  test("host 0 takes IPv4 and IPv6, each under its own address", async () => {
    const server = await startServer(OURS, ["-v", ...quiet, "0", "0", "sh", "-c", SHOW]);
    const v4 = await talk(server.port);
    const v6 = await talk(server.port, { host: "::1" });
    expect(v4).toContain("TCPREMOTEIP=127.0.0.1\n");
    expect(v4).toContain("TCPLOCALIP=127.0.0.1\n");
    expect(v6).toContain("TCPREMOTEIP=::1\n");
    expect(v6).toContain("TCPLOCALIP=::1\n");
    expect(v6).toContain("PROTO=TCP\n");
    await server.stop();
  });
});

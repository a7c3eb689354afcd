import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { type HaProxy, startHaproxy } from "../lib/haproxy.ts";
import { run } from "../lib/program.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { makeWorld } from "../lib/world.ts";

const PROXY = "127.9.9.9";
const OTHER = "127.9.8.8";
const dir = mkdtempSync(join(tmpdir(), "proxy-"));
const SHOW = `env | grep -E "^(TCP|RELAY|RULE)" | LC_ALL=C sort; cat`;
const V2 = "\r\n\r\n\0\r\nQUIT\n";

const world = makeWorld();
let server: Server;
beforeAll(async () => {
  const { sql } = sqlite.prepare(world);
  sql(`INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.7', 0), ('${PROXY}', 0);`);
  world.control("sql", `driver sqlite\ndb ${join(world.home, "users/mail.db")}\n`);
  const rules = `127.0.0.5:allow,RULE="client"\n127.0.0.6:deny\n127.9.9.:allow,RELAYCLIENT="@proxy",RULE="proxy"\n`;
  execFileSync("tcprules", [join(dir, "cdb"), join(dir, "tmp")], { input: rules });
  const options = ["-vSHrl0", `-y127.9.7.0/24,${PROXY}`, "-x", join(dir, "cdb")];
  server = await startServer("tcpserver-sql", [...options, "127.0.0.1", "0", "sh", "-c", SHOW], {
    env: { ...world.env },
  });
});
afterAll(async () => {
  await server?.stop();
  world.remove();
  rmSync(dir, { recursive: true });
});

const lines = (text: string) => text.split("\n");

describe.each(["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"])(
  "behind haproxy with %s",
  (options) => {
    let proxy: HaProxy;
    beforeAll(async () => {
      proxy = await startHaproxy(server.port, PROXY, options);
    });
    afterAll(() => proxy.stop());
    const from = async (ip: string) => lines(await talk(proxy.port, { from: ip, input: "hello\n" }));

    test("the client is the one of the header, and the program reads what follows it", async () => {
      expect(await from("127.0.0.5")).toEqual([
        "RULE=client",
        "TCPLOCALHOST=0",
        "TCPLOCALIP=127.0.0.1",
        `TCPLOCALPORT=${proxy.port}`,
        "TCPREMOTEIP=127.0.0.5",
        expect.stringMatching(/^TCPREMOTEPORT=\d+$/),
        "hello",
        "",
      ]);
      await server.logged(`proxy ${PROXY} for 127.0.0.5\n`);
    });

    test("rules and the relay table decide by the client", async () => {
      expect(await from("127.0.0.6")).toEqual([""]);
      expect((await from("127.0.0.7")).slice(0, 2)).toEqual(["RELAYCLIENT=", "TCPLOCALHOST=0"]);
      expect((await from("127.0.0.8"))[0]).toBe("TCPLOCALHOST=0");
    });
  },
);

const client = "PROXY TCP4 127.0.0.5 127.0.0.1 4711 25\r\n";
const v2 = (command: string, data: string) =>
  `${V2}${command}${String.fromCharCode(data.length >> 8, data.length & 255)}${data}`;
const v2Client = v2("\x21\x11", "\x7f\0\0\x05\x7f\0\0\x01\x12\x67\0\x19");

test.each([
  ["version 1", client],
  ["version 2", v2Client],
])("%s, a byte at a time: exactly the header is read", async (_, header) => {
  const socket = createConnection({
    port: server.port,
    host: "127.0.0.1",
    localAddress: PROXY,
    noDelay: true,
  });
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  for (const byte of `${header}PROXY x\r\n`) {
    socket.write(byte, "latin1");
    await sleep(2);
  }
  socket.end();
  await new Promise((resolve) => socket.on("close", resolve));
  expect(lines(text).slice(-4)).toEqual(["TCPREMOTEIP=127.0.0.5", "TCPREMOTEPORT=4711", "PROXY x\r", ""]);
});

test.each([
  ["LOCAL", v2("\x20\0", "")],
  ["UNSPEC", v2("\x21\0", "")],
  ["UNKNOWN", "PROXY UNKNOWN\r\n"],
])("%s: the client is the proxy, which may not relay, whatever table and rules say", async (_, header) => {
  expect(lines(await talk(server.port, { from: PROXY, input: `${header}hello\n` }))).toEqual([
    "RULE=proxy",
    "TCPLOCALHOST=0",
    "TCPLOCALIP=127.0.0.1",
    `TCPLOCALPORT=${server.port}`,
    `TCPREMOTEIP=${PROXY}`,
    expect.stringMatching(/^TCPREMOTEPORT=\d+$/),
    "hello",
    "",
  ]);
});

test("a header from a client that is no proxy is data", async () => {
  const seen = lines(await talk(server.port, { from: OTHER, input: client }));
  expect(seen).toContain(`TCPREMOTEIP=${OTHER}`);
  expect(seen).toContain(client.trim().concat("\r"));
});

test.each([
  ["no header", "EHLO client.example\r\n", "no PROXY header"],
  ["an invalid header", client.replace("127.0.0.5", "localhost"), "an invalid PROXY line"],
  [
    "an end within the header",
    client.slice(0, 20),
    "it closed the connection before its PROXY header was complete",
  ],
  ["nothing", "", "it closed the connection before its PROXY header was complete"],
])("of a proxy, %s drops the connection", async (_, input, why) => {
  expect(await talk(server.port, { from: "127.9.7.3", input }).catch(() => "")).toBe("");
  await server.logged(`tcpserver: warning: dropping connection, proxy 127.9.7.3: ${why}\n`);
});

test("a proxy that sends nothing is dropped after 5 seconds, and others are served meanwhile", async () => {
  const socket = createConnection({ port: server.port, host: "127.0.0.1", localAddress: "127.9.7.4" });
  const began = performance.now();
  const closed = new Promise((resolve) => socket.on("close", resolve).resume());
  expect(await talk(server.port, { from: OTHER, input: "x\n" })).toContain("\nx\n");
  await closed;
  expect(performance.now() - began).toBeGreaterThan(4900);
  expect(performance.now() - began).toBeLessThan(10_000);
  await server.logged("proxy 127.9.7.4: no PROXY header within 5 seconds\n");
}, 20_000);

test.each(["", "x", "127.0.0.1,proxy.example"])("-y %j is wrong usage", async (proxies) => {
  const { code, stderr } = await run("tcpserver-sql", ["-y", proxies, "127.0.0.1", "0", "true"]);
  expect([code, stderr.split("\n")[0]]).toEqual([100, "tcpserver: invalid argument of option -- y"]);
});

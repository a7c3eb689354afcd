import { spawn } from "node:child_process";
import { checkBlocklists, openBlockedSession, parseBlocklists } from "@qmail-mysql/blocklist";
import { openResolver } from "@qmail-mysql/resolver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NameServer, startDnsmasq } from "../lib/dnsmasq.ts";
import { run } from "../lib/program.ts";
import { isRoot, makeWorld } from "../lib/world.ts";

const SERVED = "served\r\n";

/** What rblsmtpd of ucspi-tcp writes for a client that sends `input`; `served` if it runs its program. */
function stock(options: readonly string[], env: Record<string, string>, input: string): Promise<string> {
  const child = spawn("/usr/bin/rblsmtpd", [...options, "printf", "served\r\n"], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input, "latin1");
  let text = "";
  child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve) => child.on("close", () => resolve(text)));
}

describe.skipIf(!isRoot)("blocklists as rblsmtpd decides", () => {
  let server: NameServer;
  beforeAll(async () => {
    server = await startDnsmasq([
      "--txt-record=1.2.0.192.txt.example,Blocked; see ,http://x/?192.0.2.1",
      "--txt-record=2.2.0.192.txt.example,caf\xe9",
      `--txt-record=3.2.0.192.txt.example,${"x".repeat(250)}`,
      "--host-record=1.2.0.192.a.example,127.0.0.2",
      "--host-record=2.2.0.192.a.example,127.0.0.2",
      "--host-record=1.2.0.192.good.example,127.0.0.1",
    ]);
  });
  afterAll(() => server.stop());

  async function ours(
    options: readonly string[],
    env: Record<string, string>,
    input: string,
  ): Promise<string> {
    const { lookUp } = openResolver({ servers: () => [server.address], limit: 3000 });
    const client = { ip: env.TCPREMOTEIP ?? "", rblsmtpd: env.RBLSMTPD };
    const settings = parseBlocklists(options);
    if (!settings) throw new Error("invalid options");
    const blocked = await checkBlocklists(client, settings, lookUp);
    if (!blocked) return SERVED;
    const session = openBlockedSession(blocked);
    return session.greeting + (session.isOver ? "" : session.receive(input).replies);
  }

  const INPUT =
    "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nhelo\nNOOP\r\nRSET x\r\nDATA\r\n\r\nEXPN x\r\nquit\r\nNOOP\r\n";
  const TXT = ["-r", "txt.example"];

  test.each<[readonly string[], Record<string, string>]>([
    [TXT, { TCPREMOTEIP: "192.0.2.1" }],
    [["-b", ...TXT], { TCPREMOTEIP: "192.0.2.1" }],
    [["-b", "-B", ...TXT], { TCPREMOTEIP: "192.0.2.1" }],
    [TXT, { TCPREMOTEIP: "192.0.2.2" }],
    [TXT, { TCPREMOTEIP: "192.0.2.3" }],
    [TXT, { TCPREMOTEIP: "192.0.2.4" }],
    [["-r", "a.example"], { TCPREMOTEIP: "192.0.2.1" }],
    [["-a", "good.example", ...TXT], { TCPREMOTEIP: "192.0.2.1" }],
    [[...TXT, "-a", "good.example"], { TCPREMOTEIP: "192.0.2.1" }],
    [["-a", "good.example", ...TXT], { TCPREMOTEIP: "192.0.2.2" }],
    [["-r", "other.example", ...TXT], { TCPREMOTEIP: "192.0.2.1" }],
    [["-t", "0", ...TXT], { TCPREMOTEIP: "192.0.2.1" }],
    [TXT, { TCPREMOTEIP: "192.0.2.1", RBLSMTPD: "" }],
    [TXT, { TCPREMOTEIP: "192.0.2.4", RBLSMTPD: "go away" }],
    [TXT, { TCPREMOTEIP: "192.0.2.4", RBLSMTPD: "-go away" }],
    [TXT, { TCPREMOTEIP: "192.0.2.4", RBLSMTPD: "-" }],
    [TXT, { TCPREMOTEIP: "192.0.2.4", RBLSMTPD: `-${"y".repeat(300)}` }],
  ])("%j with %j", async (options, env) => {
    const said = await stock(options, { ...env, DNSCACHEIP: server.address }, INPUT);
    expect(said).toMatch(/^(served|220 rblsmtpd\.local|[45]5[13] )/);
    expect(await ours(options, env, INPUT)).toBe(said);
  });

  test("qmail-smtpd with dnsbl in control/smtpd says what rblsmtpd says", async () => {
    const world = makeWorld();
    world.control("me", "h.example\n");
    world.control("smtpd", "dnsbl -b -a good.example -r txt.example\n");
    for (const ip of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]) {
      const env = { TCPREMOTEIP: ip, DNSCACHEIP: server.address };
      const said = await stock(["-b", "-a", "good.example", ...TXT], env, INPUT);
      const got = await run("qmail-smtpd", [], { env: { ...world.env, ...env }, input: INPUT });
      if (said === SERVED) expect(got.stdout).toMatch(/^220 h\.example ESMTP\r\n/);
      else expect([got.stdout, got.code]).toEqual([said, 0]);
    }
    world.remove();
  });
});

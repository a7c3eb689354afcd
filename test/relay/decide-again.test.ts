import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDecideAgain } from "@qmail-mysql/tcp-rules";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sqlite } from "../lib/databases.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { makeWorld } from "../lib/world.ts";

const PROXY = "127.0.0.9";
const dir = mkdtempSync(join(tmpdir(), "again-"));
const rules = join(dir, "cdb");
const world = makeWorld();
const warnings: string[] = [];
const settings = {
  qmailHome: world.home,
  program: "qmail-smtpd",
  rules,
  relay: true,
  warn: (line: string) => warnings.push(line),
};
let server: Server;
beforeAll(async () => {
  const { sql } = sqlite.prepare(world);
  sql(
    `INSERT INTO relay (ip_addr, timestamp) VALUES ('127.0.0.7', 0), ('127.1.0.0/16', 0), ('${PROXY}', 0);`,
  );
  world.control("sql", `driver sqlite\ndb ${join(world.home, "users/mail.db")}\n`);
  execFileSync("tcprules", [rules, join(dir, "tmp")], {
    input: `${PROXY}:allow,RELAYCLIENT="@proxy",QMAILQUEUE="bin/x"\n127.0.0.5:allow,X="client"\n127.0.0.6:deny\n`,
  });
  server = await startServer(
    "tcpserver-sql",
    ["-vSHRl0", "-x", rules, "127.0.0.1", "0", "sh", "-c", "env -0"],
    { env: { ...world.env } },
  );
});
afterAll(async () => {
  await server?.stop();
  world.remove();
  rmSync(dir, { recursive: true });
});

/** The environment that tcpserver-sql gives to a client; none if it is denied. The ports differ each time. */
async function served(ip: string): Promise<string[]> {
  const entries = (await talk(server.port, { from: ip })).split("\0");
  return entries.filter((entry) => /^(TCP|PROTO|RELAY|QMAILQ|X=)/.test(entry)).sort();
}
const withoutPort = (entries: readonly string[]) =>
  entries.filter((entry) => !entry.startsWith("TCPREMOTEPORT=")).sort();

test.each(["127.0.0.5", "127.0.0.7", "127.1.2.3", "127.0.0.8"])(
  "the decision about %s is that of tcpserver-sql",
  async (ip) => {
    const proxied = await served(PROXY);
    expect(proxied).toEqual(expect.arrayContaining(["RELAYCLIENT=@proxy", "QMAILQUEUE=bin/x"]));
    const answer = await openDecideAgain(settings)(proxied, { ip, port: 4711 });
    const { environment } = answer as { environment: string[] };
    expect(withoutPort(environment)).toEqual(withoutPort(await served(ip)));
    expect(environment).toContain("TCPREMOTEPORT=4711");
    expect(warnings).toEqual([]);
  },
);

test("a client that the rules deny is denied", async () => {
  expect(await served("127.0.0.6")).toEqual([]);
  expect(await openDecideAgain(settings)(await served(PROXY), { ip: "127.0.0.6", port: 1 })).toEqual({
    denied: true,
  });
});

test("rules that cannot be read are trouble; without its table nobody may relay", async () => {
  const proxied = await served(PROXY);
  const missing = openDecideAgain({ ...settings, rules: join(dir, "missing") });
  expect(await missing(proxied, { ip: "127.0.0.5", port: 1 })).toEqual({
    trouble: expect.stringMatching(/^unable to read .*missing: file does not exist$/),
  });
  world.control("sql", "driver sqlite\ndb /nonexistent\n");
  const answer = await openDecideAgain(settings)(proxied, { ip: "127.0.0.7", port: 1 });
  expect("environment" in answer && answer.environment.some((entry) => entry.startsWith("RELAYCLIENT"))).toBe(
    false,
  );
  expect(warnings).toEqual([expect.stringMatching(/^serving without the relay table: unable to /)]);
});

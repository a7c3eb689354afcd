import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overTcp } from "../lib/databases.ts";
import { run } from "../lib/program.ts";
import { type Server, startServer, talk } from "../lib/server.ts";
import { makeWorld } from "../lib/world.ts";

// STORM_SECONDS=60 is the full test; the suite runs a short one.
const SECONDS = Number(process.env.STORM_SECONDS ?? 6);
const HOSTS = 4;
const LOGINS = 5; // a second, on each host
const SETTLED = 5000; // milliseconds after which a login must be in the rules file, on a busy machine
const SHOW = ["sh", "-c", 'env | grep -q ^RELAYCLIENT= && echo "relay=$RELAYCLIENT" || echo relay=no'];

describe("four servers, several logins a second, one rules file", () => {
  const worlds = Array.from({ length: HOSTS }, () => makeWorld());
  const [shared] = worlds as [ReturnType<typeof makeWorld>];
  const file = join(shared.home, "shared/tcp.smtp");
  let ours: Server;
  let stock: Server;
  beforeAll(async () => {
    overTcp.prepare(shared);
    const text = readFileSync(join(shared.home, "control/sqlserver"), "latin1");
    for (const world of worlds) world.control("sql", `${text}local 192.0.2.99\nrelay_user user\ntimeout 5\n`);
    mkdirSync(join(shared.home, "shared"));
    writeFileSync(file, "127.99.:deny\n");
    const made = await run("rebuild-cdb", ["relay", file], { env: shared.env });
    expect([made.code, made.stderr]).toEqual([0, ""]);
    const options = ["-HRl0", "-c", "40", "-x", `${file}.cdb`, "127.0.0.1", "0", ...SHOW];
    stock = await startServer("/usr/bin/tcpserver", options);
    ours = await startServer("tcpserver-sql", ["-S", ...options], { env: shared.env });
    await sleep(300);
  });
  afterAll(async () => {
    await ours.stop();
    await stock.stop();
    for (const world of worlds) world.remove();
  });

  test(
    `${SECONDS} seconds: nobody is dropped, nobody wrongly allowed or refused`,
    async () => {
      const end = performance.now() + SECONDS * 1000;
      const isOver = () => performance.now() > end;
      const loggedIn = new Map<string, number>();
      const wrong: string[] = [];
      const counts = { logins: 0, connections: 0, rebuilds: 0 };
      const ask = async (server: Server, ip: string) => {
        counts.connections++;
        return (
          await talk(server.port, { from: ip }).catch((error: Error) => `dropped: ${error.message}`)
        ).trim();
      };
      const rebuild = async (env: Readonly<Record<string, string>>) => {
        const { code, stderr } = await run("rebuild-cdb", ["relay", file], { env });
        counts.rebuilds++;
        if (code !== 0) wrong.push(`rebuild-cdb: ${stderr}`);
      };

      const host = async (index: number) => {
        const { env } = worlds[index] as (typeof worlds)[number];
        const asked: Promise<void>[] = [];
        for (let i = 1; !isOver(); i++) {
          const next = sleep(1000 / LOGINS);
          const ip = `127.${10 + index}.${i >> 8}.${i & 255}`;
          const got = await run("qmail-pop3d-helper", ["true"], {
            env: { ...env, TCPREMOTEIP: ip, USER: "joe", HOME: "/" },
          });
          if (got.code !== 0 || got.stderr.includes("relay")) wrong.push(`login: ${got.stderr}`);
          loggedIn.set(ip, performance.now());
          counts.logins++;
          asked.push(rebuild(env));
          const answer = await ask(ours, ip);
          if (answer !== "relay=") wrong.push(`${ip} has just logged in: ${answer}`);
          await next;
        }
        await Promise.all(asked);
      };
      const clients = async (server: Server) => {
        for (let i = 0; !isOver(); i++) {
          const stranger = `127.77.0.${i % 256}`;
          const answer = await ask(server, stranger);
          if (answer !== "relay=no") wrong.push(`${stranger} is a stranger: ${answer}`);
          if (i % 10 === 0 && (await ask(server, "127.99.0.1")) !== "")
            wrong.push("127.99.0.1 was not denied");
          const known = [...loggedIn].filter(([, at]) => performance.now() - at > SETTLED);
          const [ip] = known[i % Math.max(known.length, 1)] ?? [];
          if (ip === undefined) continue;
          const right = await ask(server, ip);
          if (right !== "relay=") wrong.push(`${ip} logged in long ago: ${right}`);
        }
      };
      await Promise.all([...worlds.map((_, i) => host(i)), clients(ours), clients(stock)]);
      console.log(`storm: ${JSON.stringify(counts)}`);
      expect(wrong).toEqual([]);
      expect(counts.logins).toBeGreaterThan(HOSTS * SECONDS);
      // at the end everyone who logged in is in the file
      await sleep(1200);
      await rebuild(shared.env);
      for (const ip of loggedIn.keys()) expect([ip, await ask(stock, ip)]).toEqual([ip, "relay="]);
      expect(stock.log() + ours.log()).not.toContain("dropping connection");
    },
    (SECONDS + 60) * 1000,
  );
});

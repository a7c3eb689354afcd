// Connections per second with 1, 10 and 40 concurrent clients, each running one program: tcpserver without rules,
// tcpserver with a C program that queries MariaDB for each, tcpserver-sql -S on the same table. Then one long run of the
// last, for its memory.
import { sqlFile, startMariaDb } from "../../test/lib/mariadb.ts";
import { proc } from "../../test/lib/program.ts";
import { type Server, startServer } from "../../test/lib/server.ts";
import { makeWorld } from "../../test/lib/world.ts";
import { load, TOOLS } from "../lib/load.ts";
import { emit, say } from "../lib/results.ts";

const SECONDS = Number(process.env.SECONDS ?? 3);
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 20_000);
const LONG = 600; // seconds, at most, of a tenth of them
const LIMITS = ["-HRl0", "-c", "100", "-b", "100", "127.0.0.1", "0"];
const GREET = ["/bin/echo", "220"];

const database = await startMariaDb();
const world = makeWorld();
const servers: Server[] = [];
try {
  database.sql(
    "CREATE DATABASE mail; CREATE USER relay@localhost IDENTIFIED BY 'secret'; GRANT SELECT ON mail.* TO relay@localhost",
  );
  // 127.0.0.1 is not in the window: every connection causes a query, since only positive results are kept.
  database.sql(
    `${sqlFile("mysql/schema.sql")};
     INSERT INTO relay (ip_addr, timestamp) SELECT CONCAT('10.', seq DIV 250, '.', seq MOD 250, '.1'), UNIX_TIMESTAMP() FROM seq_1_to_10000`,
    "mail",
  );
  world.control("sql", `server ${database.socket}\nuser relay\npass secret\ndatabase mail\n`);
  const lookup = [`${TOOLS}/relay-check`, database.socket, "relay", "secret", "mail", ...GREET];
  const serve = async (...command: Parameters<typeof startServer>) => {
    const server = await startServer(...command);
    servers.push(server);
    return server;
  };
  const withC = await serve("/usr/bin/tcpserver", [...LIMITS, ...lookup]);
  const tcpserver = await serve("/usr/bin/tcpserver", [...LIMITS, ...GREET]);
  const ours = await serve("tcpserver-sql", ["-S", ...LIMITS, ...GREET], { env: world.env });
  for (const at of [1, 10, 40]) {
    const rate = ({ port }: { port: number }) => load("tcpload", [port, at, SECONDS]).rate;
    // Interleaved, so that variations of the machine affect both.
    const [before, c, rated, after] = [rate(tcpserver), rate(withC), rate(ours), rate(tcpserver)];
    emit({ at, tcpserver: [before, after], withC: c, ours: rated });
    const ratio = (2 * rated) / (before + after);
    say(
      `${at} at a time: tcpserver ${before} ${after}  C lookup ${c}  ours ${rated}/s  ratio ${ratio.toFixed(2)}`,
    );
  }
  const tenth = CONNECTIONS / 10;
  for (let after = tenth; after <= CONNECTIONS; after += tenth) {
    load("tcpload", [ours.port, 20, LONG, tenth]);
    const kB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(proc(ours.pid, "status"))?.[1]);
    emit({ after, kB });
    say(`after ${after} more: ${kB} kB`);
  }
} finally {
  for (const server of servers) await server.stop();
  world.remove();
  await database.stop();
}

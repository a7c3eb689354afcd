import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A private MariaDB: TCP on loopback, a unix socket, TLS with its own CA. */
export interface MariaDb {
  readonly socket: string;
  readonly port: number;
  /** The file of the CA that signed its certificate for "localhost" and 127.0.0.1. */
  readonly ca: string;
  /** Runs SQL as the server's root; returns the output of the client, columns separated by tab. */
  sql(text: string, database?: string): string;
  /** Kills it with SIGKILL. */
  crash(): Promise<void>;
  /** Restarts it with the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Creates and starts a server, which takes about a second. */
export async function startMariaDb(): Promise<MariaDb> {
  const dir = mkdtempSync(join(tmpdir(), "mariadb-"));
  chmodSync(dir, 0o755);
  const file = (name: string) => join(dir, name);
  installDatabase(file("data"), "root");
  makeCertificate(dir);
  const port = await freePort();
  const start = () =>
    spawn(
      "mariadbd",
      [
        ...serverBasics("root"),
        `--datadir=${file("data")}`,
        `--socket=${file("sock")}`,
        `--pid-file=${file("pid")}`,
        `--port=${port}`,
        `--ssl-cert=${file("server.pem")}`,
        `--ssl-key=${file("server.key")}`,
        `--ssl-ca=${file("ca.pem")}`,
      ],
      { stdio: "ignore", env: serverEnvironment },
    );
  let server = start();
  const sql = (text: string, database = "") =>
    execFileSync("mariadb", clientArgs(file("sock"), database), {
      input: text,
      stdio: ["pipe", "pipe", "pipe"],
    }).toString();
  const ready = async () => {
    for (let tries = 0; ; tries++) {
      try {
        sql("select 1");
        break;
      } catch (error) {
        if (tries > 200 || server.exitCode !== null) throw error;
        await sleep(50);
      }
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    if (server.exitCode === null && server.signalCode === null && server.kill(signal)) await ended;
  };
  await ready();
  return {
    socket: file("sock"),
    port,
    ca: file("ca.pem"),
    sql,
    crash: () => end("SIGKILL"),
    restart() {
      server = start();
      return ready();
    },
    async stop() {
      await end("SIGTERM");
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What a server of the tests is started with; `account` is who it runs as when root starts it. */
export const serverBasics = (account: string): readonly string[] => [
  "--no-defaults",
  ...asAccount(account),
  "--bind-address=127.0.0.1",
  "--skip-name-resolve",
  "--innodb-flush-log-at-trx-commit=0", // a scratch server may forget
];
export const serverEnvironment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

const asAccount = (account: string) => (process.getuid?.() === 0 ? [`--user=${account}`] : []);

/** Makes a data directory whose root needs no password. */
export function installDatabase(dir: string, account: string): void {
  mkdirSync(dir);
  execFileSync(
    "mariadb-install-db",
    ["--no-defaults", `--datadir=${dir}`, "--auth-root-authentication-method=normal", ...asAccount(account)],
    { stdio: "ignore" },
  );
}

/** The client's arguments to speak as root with the server at `socket`; it prints columns by tab. */
export const clientArgs = (socket: string, database = ""): string[] => [
  "--no-defaults",
  "-uroot",
  "-S",
  socket,
  "-N",
  "-B",
  "--default-character-set=utf8mb4",
  ...(database ? [database] : []),
];

function makeCertificate(dir: string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "ignore" });
  openssl(
    ..."req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem".split(" "),
  );
  openssl(
    ..."req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr".split(" "),
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
  );
  openssl(
    ..."x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -copy_extensions copy -out server.pem".split(
      " ",
    ),
  );
}

/** A port of loopback that was free when it was checked. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

/** The text of a schema or fixture below sql/. */
export function sqlFile(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../sql", name), "utf8");
}

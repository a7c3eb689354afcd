import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A private MariaDB: TCP on loopback, a unix socket, TLS with a CA of its own. */
export interface MariaDb {
  readonly socket: string;
  readonly port: number;
  /** The file of the CA that signed its certificate for "localhost" and 127.0.0.1. */
  readonly ca: string;
  /** Runs SQL as the server's root; answers what the client prints, columns by tab. */
  sql(text: string, database?: string): string;
  /** Kills it as a crash would. */
  crash(): Promise<void>;
  /** Starts it again on the data of before. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server from nothing in about a second. */
export async function startMariaDb(): Promise<MariaDb> {
  const dir = mkdtempSync(join(tmpdir(), "mariadb-"));
  chmodSync(dir, 0o755);
  const file = (name: string) => join(dir, name);
  mkdirSync(file("data"));
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  execFileSync(
    "mariadb-install-db",
    ["--no-defaults", `--datadir=${file("data")}`, "--auth-root-authentication-method=normal", ...user],
    { stdio: "ignore" },
  );
  makeCertificate(dir);
  const port = await freePort();
  const start = () =>
    spawn(
      "mariadbd",
      [
        "--no-defaults",
        ...user,
        `--datadir=${file("data")}`,
        `--socket=${file("sock")}`,
        `--pid-file=${file("pid")}`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        `--ssl-cert=${file("server.pem")}`,
        `--ssl-key=${file("server.key")}`,
        `--ssl-ca=${file("ca.pem")}`,
        "--skip-name-resolve",
        "--innodb-flush-log-at-trx-commit=0", // a scratch server may forget
      ],
      { stdio: "ignore", env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } },
    );
  let server = start();
  const sql = (text: string, database = "") =>
    execFileSync(
      "mariadb",
      [
        "--no-defaults",
        "-uroot",
        "-S",
        file("sock"),
        "-N",
        "-B",
        "--default-character-set=utf8mb4",
        ...(database ? [database] : []),
      ],
      { input: text, stdio: ["pipe", "pipe", "pipe"] },
    ).toString();
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

/** A port of loopback that was free a moment ago. */
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

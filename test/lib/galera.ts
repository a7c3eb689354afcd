import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clientArgs, installDatabase, serverBasics, serverEnvironment } from "./mariadb.ts";
import { run } from "./program.ts";

/** One mariadbd of a Galera cluster on loopback. */
export interface GaleraNode {
  /** As control/sqlserver names it. */
  readonly name: string;
  pid(): number;
  /** Runs SQL as the server's root. */
  sql(text: string, database?: string): Promise<string>;
  /** Settle when the process has ended: after SIGKILL, and after SIGTERM. */
  kill(): Promise<void>;
  shutdown(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Restarts it and lets it join; with `wipe` after deleting its data. */
  restart(wipe?: boolean): Promise<void>;
  /** Settles when it is a synchronized member. */
  synced(): Promise<void>;
}

export interface Galera {
  readonly nodes: readonly GaleraNode[];
  stop(): Promise<void>;
}

const PROVIDER = "/usr/lib/galera/libgalera_smm.so";
const ACCOUNT = "mysql"; // rsync, which copies a node's data, gives up root by itself
const JOIN_LIMIT = 120_000; // milliseconds for a node to join, on a machine that has much else to do
const PORTS = ["sql", "group", "ist", "sst"] as const;

type Ports = Readonly<Record<(typeof PORTS)[number], number>>;

/** Starts a cluster of three, all with `schema`. */
export async function startGalera(schema: string, database: string): Promise<Galera> {
  const dir = mkdtempSync(join(tmpdir(), "galera-"));
  if (process.getuid?.() === 0) execFileSync("chown", [ACCOUNT, dir]);
  const ports = await Promise.all([0, 1, 2].map(takePorts));
  const group = ports.map((one) => `127.0.0.1:${one.group}`).join(",");
  const nodes = ports.map((one, i) => galeraNode(join(dir, `n${i}`), one, group));
  const [first, ...others] = nodes as [Node, ...Node[]];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    installDatabase(first.data, ACCOUNT);
    first.start("--wsrep-new-cluster");
    await first.synced();
    await first.sql(`CREATE DATABASE ${database}`);
    await first.sql(schema, database);
    await first.shutdown();
    // A copy of the data of a node that was stopped, with its position, saves the others the transfer.
    for (const { data } of others) execFileSync("cp", ["-a", first.data, data]);
    first.start("--wsrep-new-cluster");
    await first.synced();
    for (const node of others) node.start();
    await Promise.all(others.map((node) => node.synced()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, stop };
}

interface Node extends GaleraNode {
  readonly data: string;
  start(...more: string[]): void;
}

function galeraNode(dir: string, ports: Ports, group: string): Node {
  const data = `${dir}.data`;
  const socket = `${dir}.sock`;
  const log = `${dir}.log`;
  const options = [
    ...serverBasics(ACCOUNT),
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--pid-file=${dir}.pid`,
    `--port=${ports.sql}`,
    "--innodb-buffer-pool-size=32M",
    "--innodb-autoinc-lock-mode=2",
    "--binlog-format=ROW",
    "--wsrep-on=ON",
    `--wsrep-provider=${PROVIDER}`,
    `--wsrep-node-name=${ports.sql}`,
    "--wsrep-node-address=127.0.0.1",
    "--wsrep-sst-method=rsync",
    `--wsrep-sst-receive-address=127.0.0.1:${ports.sst}`,
    `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${ports.group};ist.recv_addr=127.0.0.1:${ports.ist};gcache.size=16M`,
  ];
  let child: ChildProcess | undefined;
  const isOver = () => !child || child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals) => {
    if (isOver()) return;
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill(signal);
    await ended;
  };
  const sql = async (text: string, database = "") => {
    const { code, stdout, stderr } = await run("/usr/bin/mariadb", clientArgs(socket, database), {
      input: text,
    });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  const start = (...more: string[]) => {
    const fd = openSync(log, "a");
    child = spawn("mariadbd", [...options, `--wsrep-cluster-address=gcomm://${group}`, ...more], {
      stdio: ["ignore", fd, fd],
      env: serverEnvironment,
    });
    closeSync(fd);
  };
  return {
    name: `127.0.0.1:${ports.sql}`,
    data,
    pid: () => child?.pid ?? 0,
    sql,
    start,
    kill: () => end("SIGKILL"),
    shutdown: () => end("SIGTERM"),
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    async restart(wipe = false) {
      if (wipe) for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
      const position = wipe ? undefined : await recovered(options);
      start(...(position === undefined ? [] : [`--wsrep-start-position=${position}`]));
    },
    async synced() {
      for (const late = Date.now() + JOIN_LIMIT; ; ) {
        if (existsSync(socket) && (await isSynced(sql))) return;
        if (isOver() || Date.now() > late) {
          throw new Error(`a node does not join:\n${readFileSync(log, "latin1").slice(-3000)}`);
        }
        await sleep(50);
      }
    },
  };
}

async function isSynced(sql: (text: string) => Promise<string>): Promise<boolean> {
  const state = await sql("SHOW STATUS LIKE 'wsrep_local_state_comment'").catch(() => "");
  return state === "wsrep_local_state_comment\tSynced\n";
}

/** Where a node that was killed stood, as Debian's own start script asks for it. */
async function recovered(options: readonly string[]): Promise<string | undefined> {
  const args = [...options, "--wsrep-recover", "--log-error="];
  const { stderr } = await run("/usr/sbin/mariadbd", args, { limit: JOIN_LIMIT });
  return /WSREP: Recovered position: (\S+)/.exec(stderr)?.[1];
}

/** Four ports below those that the system assigns to outgoing connections, so that a node can use them again. */
async function takePorts(index: number): Promise<Ports> {
  const numbers: number[] = [];
  const [low, high] = [20_000, 32_000];
  let port = low + ((process.pid * 60 + index * 20) % (high - low - 60));
  for (; numbers.length < PORTS.length; port++) if (await isFree(port)) numbers.push(port);
  return Object.fromEntries(PORTS.map((name, i) => [name, numbers[i] ?? 0])) as Ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

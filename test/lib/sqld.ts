import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { BIN, visible } from "./program.ts";
import { isRoot, type World } from "./world.ts";

/** The account of qmail-sqld in the tests; only root can change to it. */
export const SQLD_UID = 64900;

export interface RunningSqld {
  readonly pid: number;
  readonly socket: string;
  readonly child: ChildProcess;
  /** Its output on descriptor 2. */
  said(): string;
  /** Ends it; settles with its exit code or signal. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

const running = new Map<string, RunningSqld>();

/** Removing the world also ends its qmail-sqld. */
function endWith(world: World): void {
  const { remove } = world;
  Object.assign(world, {
    remove() {
      running.get(world.home)?.child.kill("SIGKILL");
      remove();
    },
  });
}

/**
 * Starts qmail-sqld on the world's control/sqlserver, which from then on its account alone can read; through the program
 * and arguments `before` it, if there are any.
 */
export function startSqld(world: World, settings = "", before: readonly string[] = []): RunningSqld {
  const last = running.get(world.home);
  if (last) last.child.kill("SIGKILL");
  else endWith(world);
  const dir = join(world.home, "../sqld");
  const socket = join(dir, "socket");
  const ready = join(dir, "ready");
  mkdirSync(dir, { recursive: true });
  world.control("sqld", `${socket}\n`);
  world.control("sqld-settings", settings);
  const sqlserver = join(world.home, "control/sqlserver");
  if (isRoot) {
    for (const file of [dir, sqlserver]) chownSync(file, SQLD_UID, SQLD_UID);
    const data = join(world.home, "users/mail.db");
    if (existsSync(data)) chownSync(data, SQLD_UID, SQLD_UID);
  }
  chmodSync(sqlserver, 0o600);
  const log = join(dir, "log");
  const fds = [openSync(log, "w"), openSync(ready, "w")];
  const [program = "", ...args] = [...before, join(BIN, "qmail-sqld"), "-d", "3"];
  const child = spawn(program, args, {
    env: { ...world.env },
    cwd: "/",
    stdio: ["ignore", "ignore", fds[0], fds[1]],
    ...(isRoot && { uid: SQLD_UID, gid: SQLD_UID }),
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? signal ?? ""));
  });
  // Blocks, since its callers are not asynchronous.
  const nap = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; statSync(ready).size === 0; tries++) {
    if (tries > 500) throw new Error(`qmail-sqld is not ready: ${readFileSync(log, "latin1")}`);
    Atomics.wait(nap, 0, 0, 10);
  }
  const sqld: RunningSqld = {
    pid: child.pid ?? 0,
    socket,
    child,
    said: () => readFileSync(log, "latin1"),
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
  running.set(world.home, sqld);
  return sqld;
}

/** A question of qmail-sqld-protocol(7). */
export const framed = (...fields: string[]) => {
  const payload = fields.map((field) => `${field}\0`).join("");
  return `${payload.length}:${payload},`;
};

/** The response on a new connection, with NULs made readable. */
export async function ask(socket: string, ...fields: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let got = "";
    connection.on("error", reject);
    connection.on("close", () => reject(new Error(`closed after ${JSON.stringify(got)}`)));
    connection.on("data", (chunk) => {
      got += chunk.toString("latin1");
      const colon = got.indexOf(":");
      const length = Number(got.slice(0, colon));
      if (colon < 0 || got.length < colon + length + 2) return;
      connection.removeAllListeners("close");
      connection.destroy();
      resolve(visible(got.slice(colon + 1, colon + 1 + length)));
    });
    connection.write(framed(...fields), "latin1");
  });
}

/** A figure of its stats; of several, the one with this label. */
export async function figure(socket: string, name: string, label = ""): Promise<number> {
  const answer = await ask(socket, "stats");
  const all = answer
    .slice(1)
    .split("|")
    .filter(Boolean)
    .map((text) => JSON.parse(text));
  const one = all.find((candidate) => candidate.name === name);
  return one.values.find((v: { labels: object }) => Object.values(v.labels).join() === label).value;
}

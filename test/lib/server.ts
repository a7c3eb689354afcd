import { type ChildProcess, spawn } from "node:child_process";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BIN } from "./program.ts";

/** A listening tcpserver, stock or ours. */
export interface Server {
  readonly port: number;
  readonly pid: number;
  /** The output of it and its children on descriptor 2. */
  log(): string;
  /** Resolves when the log holds this text. */
  logged(text: string | RegExp): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
  /** Ends it; returns its exit code, or the signal that ended it. */
  stop(name?: NodeJS.Signals): Promise<number | string | null>;
}

export interface ServerHow {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts `program -1 args…`, whose first line is its port. */
export async function startServer(
  program: string,
  args: readonly string[],
  how: ServerHow = {},
): Promise<Server> {
  const file = program.includes("/") ? program : join(BIN, program);
  const child = spawn(file, ["-1", ...args], {
    env: { PATH: process.env.PATH ?? "", ...how.env },
    cwd: how.cwd ?? "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | string | null>((resolve) =>
    child.on("exit", (code, signal) => resolve(code ?? signal)),
  );
  let log = "";
  child.stderr?.setEncoding("latin1").on("data", (chunk: string) => {
    log += chunk;
  });
  const port = await firstLine(child, ended, () => log);
  const logged = async (text: string | RegExp) => {
    for (let tries = 0; tries < 500; tries++) {
      if (typeof text === "string" ? log.includes(text) : text.test(log)) return;
      await sleep(10);
    }
    throw new Error(`never logged: ${text}\n${log}`);
  };
  return {
    port: Number(port),
    pid: child.pid ?? 0,
    log: () => log,
    logged,
    signal: (name) => void child.kill(name),
    ended,
    async stop(name = "SIGTERM") {
      child.kill(name);
      const outcome = await ended;
      child.stderr?.destroy();
      return outcome;
    },
  };
}

async function firstLine(child: ChildProcess, ended: Promise<unknown>, log: () => string): Promise<string> {
  let text = "";
  const line = new Promise<string>((resolve) => {
    child.stdout?.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    });
  });
  const over = ended.then((code): never => {
    throw new Error(`the server ended with ${code}: ${log()}`);
  });
  over.catch(() => {});
  return (await Promise.race([line, over])).trim();
}

export interface Talk {
  readonly host?: string;
  /** The address to come from. */
  readonly from?: string;
  readonly input?: string;
  /** Milliseconds after which it fails. */
  readonly limit?: number;
}

/** Connects, sends `input`, and returns all output until the other side closes. */
export function talk(port: number, how: Talk = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({
      port,
      host: how.host ?? "127.0.0.1",
      ...(how.from !== undefined && { localAddress: how.from }),
    });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end within ${how.limit ?? 10_000} ms`));
    }, how.limit ?? 10_000);
    let text = "";
    socket.setEncoding("latin1");
    socket.on("connect", () => socket.end(how.input ?? "", "latin1"));
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}

/** The signals a process ignores, as a mask; without those the C library keeps for itself. */
export function ignored(status: string): bigint {
  const mask = BigInt(`0x${/^SigIgn:\s*(\w+)$/m.exec(status)?.[1] ?? 0}`);
  return mask & ~(3n << 31n); // 32 and 33: posix_spawn of glibc
}

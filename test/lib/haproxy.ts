import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** haproxy(1) in front of a port of 127.0.0.1. */
export interface HaProxy {
  readonly port: number;
  stop(): void;
}

/** It connects from the address `source`, with `options` of its server line, such as send-proxy. */
export async function startHaproxy(target: number, source: string, options: string): Promise<HaProxy> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "haproxy-"));
  const config = join(dir, "cfg");
  writeFileSync(
    config,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen x
  bind 127.0.0.1:${port}
  source ${source}
  server s 127.0.0.1:${target} ${options}
`,
  );
  const child: ChildProcess = spawn("/usr/sbin/haproxy", ["-db", "-q", "-f", config], { stdio: "ignore" });
  for (let i = 0; !(await isOpen(port)); i++) {
    if (i > 200 || child.exitCode !== null) throw new Error("haproxy did not start");
    await sleep(50);
  }
  return {
    port,
    stop() {
      child.kill("SIGKILL");
      rmSync(dir, { recursive: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

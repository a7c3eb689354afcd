import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { BIN } from "./program.ts";
import type { World } from "./world.ts";

/** A POP3 server on loopback: the real tcpserver, and the programs behind it. */
export interface PopServer {
  readonly port: number;
  /** The output on descriptor 2 so far. */
  log(): string;
  stop(): void;
}

/** The whole chain, for servePop. */
export const POP3_CHAIN = [
  "qmail-popup",
  "pop.test",
  "checkpassword",
  "qmail-pop3d-helper",
  "qmail-pop3d",
  "Maildir",
] as const;

/** Serves `program`; names without a slash are our programs. */
export async function servePop(world: World, program: readonly string[]): Promise<PopServer> {
  const server: ChildProcess = spawn(
    "tcpserver",
    [
      "-1",
      "-HRDl0",
      "127.0.0.1",
      "0",
      ...program.map((word) => word.replace(/^(qmail-pop|checkpassword$)/, `${BIN}/$&`)),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH ?? "", ...world.env } },
  );
  let log = "";
  server.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString("latin1");
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.stdout?.on("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
    server.on("error", reject);
  });
  return { port, log: () => log, stop: () => void server.kill() };
}

/**
 * A checkpassword for joe, password "secret": PASS or APOP, exit 1 for anybody else, becoming `account` in
 * `home`.
 */
export function makeChecker(world: World, account: string, home: string): string {
  const file = join(world.home, "bin/checker");
  writeFileSync(
    file,
    `#!/bin/sh
given=$(tr '\\0' '|' <&3)
time=\${given#*|*|} time=\${time%|}
digest=$(printf %ssecret "$time" | md5sum)
case $given in "joe|secret|$time|" | "joe|\${digest%% *}|$time|") ;; *) exit 1 ;; esac
cd ${home} || exit 111
USER=joe HOME=${home}
export USER HOME
exec setuidgid ${account} "$@" 3<&-
`,
  );
  chmodSync(file, 0o755);
  return file;
}

/** Sends the parts of `bytes` with pauses of `wait` ms; returns all output until the server closes. */
export function talk(
  port: number,
  parts: readonly string[],
  { wait = 0, half = true } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString("latin1"));
    });
    const send = ([first, ...rest]: readonly string[]) => {
      if (first === undefined) return void (half && socket.end());
      socket.write(Buffer.from(first, "latin1"), () => setTimeout(send, wait, rest));
    };
    send(parts);
  });
}

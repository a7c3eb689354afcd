import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QMAIL, QMAILQ } from "./accounts.ts";
import { BIN } from "./program.ts";
import type { World } from "./world.ts";

export interface RunningLspawn {
  readonly pid: number;
  /** The first output: the announced concurrency. */
  announced(): Promise<string>;
  write(bytes: string): void;
  /** Requests a delivery; settles with its report. */
  deliver(recipient: string, more?: { messid?: string; sender?: string; delnum?: number }): Promise<string>;
  /** Settles with the next report of any delivery: number, letter and text. */
  next(): Promise<string>;
  /** Ends its commands; settles with its exit code. */
  end(): Promise<number | string>;
}

/** A queue with the message 0/1, and a bin/ with our qmail-local. */
export function makeQueue(world: World, message = "Subject: hello\n\nbody\n"): void {
  mkdirSync(join(world.home, "queue/mess/0"), { recursive: true });
  putMessage(world, "0/1", message);
  symlinkSync(join(BIN, "qmail-local"), join(world.home, "bin/qmail-local"));
}

export function putMessage(world: Pick<World, "home">, messid: string, text: string): void {
  const file = join(world.home, "queue/mess", messid);
  writeFileSync(file, text, "latin1");
  chownSync(file, QMAILQ, QMAIL);
}

/** Starts a qmail-lspawn as qmail-start does: descriptor 2 closed. */
export function spawnLspawn(world: World, command: readonly string[]): ChildProcess {
  return spawn("/bin/sh", ["-c", 'umask 077; exec "$@" 2>&-', "sh", ...command], {
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", ...world.env },
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** Acts as qmail-send for a qmail-lspawn. */
export function startLspawn(
  world: World,
  defaultDelivery = "./Maildir/",
  width: 1 | 2 = 1,
  wrap: readonly string[] = [],
): RunningLspawn {
  const child = spawnLspawn(world, [...wrap, join(BIN, "qmail-lspawn"), defaultDelivery]);
  let bytes = "";
  let free = 0;
  const wake = new Set<() => void>();
  const ended = new Promise<number | string>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? signal ?? ""));
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    bytes += chunk.toString("latin1");
    for (const one of wake) one();
  });
  const some = async <T>(take: () => T | undefined): Promise<T> => {
    for (const end = Date.now() + 15_000; ; ) {
      const got = take();
      if (got !== undefined) return got;
      if (Date.now() > end) throw new Error(`no report; so far ${JSON.stringify(bytes)}`);
      await new Promise<void>((resolve) => {
        const one = () => {
          clearTimeout(timer);
          wake.delete(one);
          resolve();
        };
        const timer = setTimeout(one, 1000);
        wake.add(one);
      });
    }
  };
  const announcement = some(() => {
    if (bytes.length < width) return undefined;
    const head = bytes.slice(0, width);
    bytes = bytes.slice(width);
    return head;
  });
  const byNumber = new Map<number, string[]>();
  const order: string[] = [];
  const sort = () => {
    for (let nul = bytes.indexOf("\0", width); nul >= 0; nul = bytes.indexOf("\0", width)) {
      const n = bytes.charCodeAt(0) + (width === 2 ? bytes.charCodeAt(1) * 256 : 0);
      const text = bytes.slice(width, nul);
      bytes = bytes.slice(nul + 1);
      const list = byNumber.get(n) ?? [];
      list.push(text);
      byNumber.set(n, list);
      order.push(`${n} ${text}`);
    }
  };
  const number = (n: number) =>
    String.fromCharCode(n & 255) + (width === 2 ? String.fromCharCode(n >> 8) : "");
  const write = (text: string) => void child.stdin?.write(Buffer.from(text, "latin1"));
  return {
    pid: child.pid ?? 0,
    announced: () => announcement,
    write,
    async deliver(recipient, { messid = "0/1", sender = "s@example.org", delnum = free++ % 100 } = {}) {
      await announcement;
      write(`${number(delnum)}${messid}\0${sender}\0${recipient}\0`);
      return some(() => {
        sort();
        return byNumber.get(delnum)?.shift();
      });
    },
    async next() {
      await announcement;
      return some(() => {
        sort();
        return order.shift();
      });
    },
    end() {
      child.stdin?.end();
      return ended;
    },
  };
}

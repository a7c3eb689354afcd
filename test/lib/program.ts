import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The directory of the built programs, which are tested as they are installed. */
export const BIN = process.env.TEST_BIN ?? join(import.meta.dirname, "../../bin");

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** As byte strings. */
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from start to end. */
  readonly ms: number;
}

export interface How {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Bytes on descriptor 0 (nothing: /dev/null). */
  readonly input?: string | undefined;
  /** Bytes on descriptor 3 (undefined: no descriptor 3). */
  readonly fd3?: string | undefined;
  readonly uid?: number;
  readonly gid?: number;
  /** Milliseconds after which the program is killed and its test fails. */
  readonly limit?: number;
}

/** Runs a program until it ends. A name without a slash is one of our programs. Input and output are byte strings. */
export function run(program: string, args: readonly string[], how: How = {}): Promise<Outcome> {
  const file = program.includes("/") ? program : join(BIN, program);
  const { limit = 20_000 } = how;
  const spool = mkdtempSync(join(tmpdir(), "fd3-"));
  // A file, not the runtime's "pipe", which is a socket pair: descriptor 3 as a shell would give it.
  const fd3 = how.fd3 === undefined ? undefined : give(join(spool, "3"), how.fd3);
  const started = performance.now();
  const child = spawn(file, [...args], {
    env: { PATH: process.env.PATH ?? "", ...how.env },
    cwd: how.cwd ?? "/",
    stdio: [how.input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...(fd3 === undefined ? [] : [fd3])],
    ...(how.uid !== undefined && { uid: how.uid, gid: how.gid ?? how.uid }),
  });
  if (fd3 !== undefined) closeSync(fd3);
  child.stdin?.on("error", () => {}); // a program need not read its input
  child.stdin?.end(how.input === undefined ? "" : Buffer.from(how.input, "latin1"));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${program} did not end within ${limit} ms`));
    }, limit);
    const stdout = collect(child, "stdout");
    const stderr = collect(child, "stderr");
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      rmSync(spool, { recursive: true });
      resolve({ code, signal, stdout: stdout(), stderr: stderr(), ms: performance.now() - started });
    });
  });
}

function give(file: string, bytes: string): number {
  writeFileSync(file, bytes, "latin1");
  return openSync(file, "r");
}

function collect(child: ChildProcess, stream: "stdout" | "stderr"): () => string {
  const chunks: Buffer[] = [];
  child[stream]?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("latin1");
}

/** The six fields of qmail-getpw, checkpassword's input and other NUL-ended text, made readable. */
export function visible(bytes: string): string {
  return bytes.replaceAll("\0", "|");
}

/** What this process itself can see of another: the text of a file below /proc. */
export function proc(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, "latin1");
}

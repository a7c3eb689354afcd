import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface SmtpSession {
  readonly env: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  /** Seconds after each piece, which is then sent through a pipe. */
  readonly pause?: number;
  /** The qmail home whose queue is looked at. */
  readonly queue?: string;
}

export interface SmtpResult {
  readonly replies: string;
  readonly errors: string;
  readonly code: number;
  readonly queued: readonly {
    readonly message: string;
    readonly envelope: string;
    readonly env: readonly string[];
  }[];
}

/** Compiles the program that takes the place of qmail-queue. */
export function compileRecorder(dir: string): string {
  const file = join(dir, "record-queue");
  execFileSync("gcc", ["-O", "-o", file, join(import.meta.dirname, "record-queue.c")]);
  return file;
}

/**
 * Runs sessions with a program, in a mount namespace where `mounts` are in the places of other directories. Their order
 * is kept. With `worker` one process serves all of them, as below tcpserver-sql -w.
 */
export async function runSessions(
  program: string,
  sessions: readonly SmtpSession[],
  mounts: Readonly<Record<string, string>> = {},
  worker?: { readonly uid: number; readonly env: Readonly<Record<string, string>> },
): Promise<SmtpResult[]> {
  const dir = mkdtempSync(join(tmpdir(), "smtp-sessions-"));
  const script = join(import.meta.dirname, "smtp-sessions.py");
  const binds = Object.entries(mounts).map(([place, dir]) => `mount --bind '${dir}' '${place}' && `);
  const inside = `${binds.join("")}exec python3 '${script}' '${program}' '${dir}' ${worker?.uid ?? ""}`;
  const child = spawn("unshare", ["--mount", "--propagation", "private", "sh", "-c", inside], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...worker?.env },
  });
  for (const session of sessions) child.stdin.write(`${JSON.stringify(session)}\n`);
  child.stdin.end();
  const results: SmtpResult[] = [];
  for await (const line of createInterface({ input: child.stdout })) results.push(JSON.parse(line));
  await ended(child);
  return results;
}

async function ended(child: ChildProcess): Promise<void> {
  const code = child.exitCode ?? (await new Promise((resolve) => child.on("close", resolve)));
  if (code !== 0) throw new Error(`smtp-sessions.py: exit ${code}`);
}

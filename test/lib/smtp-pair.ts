import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How a client sends its pieces: smtp-sessions.py; a number: seconds after each. */
export type SmtpClient = "at once" | "segments" | "lockstep" | "vanishes" | number;

export interface SmtpSession {
  readonly env: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  readonly client?: SmtpClient;
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

/** One process for all sessions, as below tcpserver-sql -w. */
export interface WorkerHow {
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs sessions with a program. Without `worker` each has a process of its own. */
export interface SmtpRunner {
  /** In this order, where `mounts` are in the places of other directories. */
  run(sessions: readonly SmtpSession[], mounts?: Readonly<Record<string, string>>): Promise<SmtpResult[]>;
  close(): Promise<void>;
}

export function smtpRunner(program: string, worker?: WorkerHow): SmtpRunner {
  const dir = mkdtempSync(join(tmpdir(), "smtp-sessions-"));
  const script = join(import.meta.dirname, "smtp-sessions.py");
  const args = ["--mount", "--propagation", "private", "python3", script, program, dir];
  const child = spawn("unshare", [...args, ...(worker ? [String(worker.uid)] : [])], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...worker?.env },
  });
  child.stdin.on("error", () => {}); // its exit code says why
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<SmtpResult> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("smtp-sessions.py: no more results");
    return JSON.parse(value);
  };
  return {
    async run(sessions, mounts = {}) {
      for (const session of sessions) child.stdin.write(`${JSON.stringify({ ...session, mounts })}\n`);
      const results: SmtpResult[] = [];
      while (results.length < sessions.length) results.push(await next());
      return results;
    },
    async close() {
      child.stdin.end();
      await ended(child);
    },
  };
}

/** Runs sessions with a program: SmtpRunner. */
export async function runSessions(
  program: string,
  sessions: readonly SmtpSession[],
  mounts: Readonly<Record<string, string>> = {},
): Promise<SmtpResult[]> {
  const runner = smtpRunner(program);
  try {
    return await runner.run(sessions, mounts);
  } finally {
    await runner.close();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const code = child.exitCode ?? (await new Promise((resolve) => child.on("close", resolve)));
  if (code !== 0) throw new Error(`smtp-sessions.py: exit ${code}`);
}

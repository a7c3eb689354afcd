import type { StdioOptions } from "node:child_process";
import type { Writable } from "node:stream";
import { childProcess, closeFd, native } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { toText } from "@qmail-mysql/wire";
import { writeAll } from "./io.ts";

export interface WithFd3 {
  readonly argv: readonly string[];
  /** Read by the program from its descriptor 3, up to the end. */
  readonly input: string;
  /** Its descriptors 0, 1 and 2. */
  readonly stdio: readonly [number | "ignore", number | "ignore", number | "ignore"];
  /** NAME=value; by default that of this process. Entries that are not UTF-8 are left out. */
  readonly environment?: readonly string[];
  /** Milliseconds after which it is killed; by default never. */
  readonly limit?: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** It was killed because of its time limit. */
  readonly isLate: boolean;
}

/** Runs a program as checkpassword is run, and waits for it. Its signals have their default actions. Throws Trouble if it cannot be run. */
export function spawnWithFd3({ argv, input, stdio: own, environment, limit }: WithFd3): Promise<Ended> {
  const [program = ""] = argv;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(new Trouble(`unable to run ${program}: ${reason(error)}`));
    const [file, ...args] = argv.map(toText);
    if (file === undefined || args.includes(undefined)) return fail(new Error("its arguments are not UTF-8"));
    const pipe = makePipe();
    const stdio: StdioOptions = [...own, pipe?.readEnd ?? "pipe"];
    try {
      const env = environment && { env: variables(environment) };
      const child = childProcess().spawn(file, args as string[], { stdio, ...env });
      let isLate = false;
      const kill = () => {
        isLate = true;
        child.kill("SIGKILL");
      };
      const timer = limit === undefined ? undefined : setTimeout(kill, limit);
      child.on("error", (error) => {
        clearTimeout(timer);
        fail(error);
      });
      child.on("exit", (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal, isLate });
      });
      if (pipe) feed(pipe, input);
      else if (child.stdio) give(child.stdio[3] as Writable, input); // undefined if it could not be started
    } catch (error) {
      fail(error);
    }
  });
}

function variables(entries: readonly string[]): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    const text = toText(entry);
    // getenv(3) returns the first of a name.
    if (equals > 0 && text !== undefined) env[entry.slice(0, equals)] ??= text.slice(text.indexOf("=") + 1);
  }
  return env;
}

interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

const O_CLOEXEC = 0o2000000;

/**
 * pipe2(2). The runtimes themselves offer only socket pairs, which cannot be opened as /dev/fd/3. Undefined if the C
 * library cannot be called (under Node, or without executable memory); a socket pair is used then.
 */
function makePipe(): Pipe | undefined {
  const ends = new Int32Array(2);
  if (native()?.raw("pipe2", ends, O_CLOEXEC) !== 0) return undefined;
  const [readEnd = -1, writeEnd = -1] = ends;
  return { readEnd, writeEnd };
}

function feed({ readEnd, writeEnd }: Pipe, input: string): void {
  closeFd(readEnd);
  try {
    writeAll(writeEnd, input);
  } catch {
    // The program need not read; its exit status is sufficient.
  }
  closeFd(writeEnd);
}

function give(stream: Writable, input: string): void {
  stream.on("error", () => {});
  stream.end(Buffer.from(input, "latin1"));
}

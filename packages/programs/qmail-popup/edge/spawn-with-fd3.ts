import type { StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import type { Writable } from "node:stream";
import { childProcess, native } from "@qmail-mysql/native";
import { writeAll } from "@qmail-mysql/process";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { toText } from "@qmail-mysql/wire";

/**
 * Runs a program that shares descriptors 0, 1 and 2 with this process and reads `input` from its descriptor 3, up to the
 * end; waits for it without a limit. Its signals have their default actions. Throws Trouble if it cannot be run.
 */
export function spawnWithFd3(
  argv: readonly string[],
  input: string,
): Promise<{ code: number | null; signal: string | null }> {
  const [program = ""] = argv;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(new Trouble(`unable to run ${program}: ${reason(error)}`));
    const [file, ...args] = argv.map(toText);
    if (file === undefined || args.includes(undefined)) return fail(new Error("its arguments are not UTF-8"));
    const pipe = makePipe();
    const stdio: StdioOptions = [0, 1, 2, pipe?.readEnd ?? "pipe"];
    try {
      const child = childProcess().spawn(file, args as string[], { stdio });
      child.on("error", fail);
      child.on("exit", (code, signal) => resolve({ code, signal }));
      if (pipe) feed(pipe, input);
      else if (child.stdio) give(child.stdio[3] as Writable, input); // undefined if it could not be started
    } catch (error) {
      fail(error);
    }
  });
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
  closeSync(readEnd);
  try {
    writeAll(writeEnd, input);
  } catch {
    // The program need not read; its exit status is sufficient.
  }
  closeSync(writeEnd);
}

function give(stream: Writable, input: string): void {
  stream.on("error", () => {});
  stream.end(Buffer.from(input, "latin1"));
}

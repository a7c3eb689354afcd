import type { ProgramEnd, RunProgram, Variables } from "@qmail-mysql/esmtp";
import { awaitChild, type Native, O_CLOEXEC, readWithin, spawn } from "@qmail-mysql/native";
import { readPipe } from "@qmail-mysql/process";
import type { Environment } from "@qmail-mysql/smtp";
import { byteString } from "@qmail-mysql/wire";

const MAX_OUTPUT = 65536; // bytes
const LIMIT = 300_000; // milliseconds after which it is killed; qmail-spp waits without a limit
const WNOHANG = 1; // sys/wait.h
const LONGEST_PAUSE = 50; // milliseconds between looks at a program that has closed its output

/** What is done with the output of a program: read, or sent to the log, since descriptor 1 is that of the client. */
export type Output = "read" | "log";

interface Started {
  readonly pid: number;
  /** Its output. */
  readonly from: number;
}

/** Runs programs one at a time, with blocking calls. */
export function programRunner(c: Native, output: Output): RunProgram {
  return (program, environment, variables) => {
    const started = start(c, program, environment, variables, output);
    return "pid" in started ? awaitEnd(c, started) : started;
  };
}

/** Runs programs of many sessions. */
export function concurrentRunner(c: Native, output: Output): RunProgram {
  return (program, environment, variables) => {
    const started = start(c, program, environment, variables, output);
    return "pid" in started ? whenEnded(c, started) : started;
  };
}

/** Descriptor 0 is closed, 1 a pipe or the log, 2 inherited: as below qmail-spp. */
function start(
  c: Native,
  program: string,
  environment: Environment,
  variables: Variables,
  output: Output,
): Started | ProgramEnd {
  const own = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const inherited = environment
    .entries()
    .filter((entry) => !Object.hasOwn(variables, entry.slice(0, entry.indexOf("="))));
  const argv = program.startsWith(":") ? ["/bin/sh", "-c", program.slice(1)] : [program];
  const ends = new Int32Array(2);
  if (c.raw("pipe2", ends, O_CLOEXEC) !== 0) return { output: "", code: "no process" };
  const [from = -1, to = -1] = ends;
  let failure: ProgramEnd["code"] = "no process";
  try {
    const descriptors = [["closed", 0] as const, [output === "read" ? to : 2, 1] as const];
    const pid = spawn(c, { argv, env: [...inherited, ...own], descriptors });
    if (pid !== undefined) return { pid, from };
    failure = "not executed";
  } catch {
    // no process
  } finally {
    c.raw("close", to);
  }
  c.raw("close", from);
  return { output: "", code: failure };
}

function awaitEnd(c: Native, { pid, from }: Started): ProgramEnd {
  let output = "";
  try {
    const piece = new Uint8Array(4096);
    for (let n = -1; n !== 0 && output.length < MAX_OUTPUT; output += byteString(piece, n)) {
      n = readWithin(c, from, piece, LIMIT);
    }
  } catch {
    process.kill(pid, "SIGKILL");
  } finally {
    c.raw("close", from);
  }
  return { output, code: awaitChild(c, pid) ?? "crashed" };
}

async function whenEnded(c: Native, { pid, from }: Started): Promise<ProgramEnd> {
  let output = "";
  const timer = setTimeout(() => process.kill(pid, "SIGKILL"), LIMIT);
  await readPipe(from, (text) => {
    if (output.length < MAX_OUTPUT) output += text;
  }).catch(() => {});
  const status = new Int32Array(1);
  let pause = 0;
  while (c.raw("waitpid", pid, status, WNOHANG) === 0) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause + 1, LONGEST_PAUSE);
  }
  clearTimeout(timer);
  const [word = 0] = status;
  return { output, code: (word & 0x7f) === 0 ? (word >> 8) & 0xff : "crashed" };
}

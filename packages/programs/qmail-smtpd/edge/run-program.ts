import type { ProgramEnd, RunProgram, Variables } from "@qmail-mysql/esmtp";
import { type Native, O_CLOEXEC, readWithin, spawn } from "@qmail-mysql/native";
import type { Environment } from "@qmail-mysql/smtp";
import { whenReady } from "@qmail-mysql/socket";
import { byteString } from "@qmail-mysql/wire";

const MAX_OUTPUT = 65536; // bytes
const PIECE = 4096; // bytes read at a time
const WNOHANG = 1; // sys/wait.h
const LONGEST_PAUSE = 50; // milliseconds between looks at a program that has closed its output

/** What is done with the output of a program: read, or sent to the log, since descriptor 1 is that of the client. */
export type Output = "read" | "log";

interface Started {
  readonly pid: number;
  /** Its output. */
  readonly from: number;
}

/** Runs programs one at a time, with blocking calls. One that takes longer than `ms` milliseconds is killed. */
export function programRunner(c: Native, output: Output, ms: number): RunProgram {
  return (program, environment, variables) => {
    const end = performance.now() + ms;
    const started = start(c, program, environment, variables, output);
    return "pid" in started ? awaitEnd(c, started, end) : started;
  };
}

/** Runs programs of many sessions. One that takes longer than `ms` milliseconds is killed. */
export function concurrentRunner(c: Native, output: Output, ms: number): RunProgram {
  return (program, environment, variables) => {
    const end = performance.now() + ms;
    const started = start(c, program, environment, variables, output);
    return "pid" in started ? whenEnded(c, started, end) : started;
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
    const pid = spawn(c, { argv, env: [...inherited, ...own], descriptors, isLeader: true });
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

function awaitEnd(c: Native, { pid, from }: Started, end: number): ProgramEnd {
  let output = "";
  try {
    const piece = new Uint8Array(PIECE);
    for (let n = -1; n !== 0 && output.length < MAX_OUTPUT; output += byteString(piece, n)) {
      n = readWithin(c, from, piece, end - performance.now());
    }
  } catch {
    // it has not closed its output in time
  }
  c.raw("close", from); // one that has more to say gets EPIPE
  const pauses = pausesUntil(end, pid);
  for (;;) {
    const code = endOf(c, pid);
    if (code !== undefined) return { output, code };
    c.raw("poll", null, 0, pauses());
  }
}

async function whenEnded(c: Native, { pid, from }: Started, end: number): Promise<ProgramEnd> {
  const piece = new Uint8Array(PIECE);
  let output = "";
  /** Reads what there is; false at the end. */
  const isOpen = () => {
    while (output.length < MAX_OUTPUT) {
      const n = c.raw("read", from, piece, PIECE);
      if (n < 0) return ["EAGAIN", "EINTR"].includes(c.failure().code);
      if (n === 0) return false;
      output += byteString(piece, n);
    }
    return false;
  };
  await new Promise<void>((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      unwatch();
      resolve();
    };
    const timer = setTimeout(finish, end - performance.now());
    const look = () => {
      if (!isOpen()) finish();
    };
    const unwatch = whenReady(from, look);
    look();
  });
  c.raw("close", from);
  const pauses = pausesUntil(end, pid);
  for (;;) {
    const code = endOf(c, pid);
    if (code !== undefined) return { output, code };
    await new Promise((resolve) => setTimeout(resolve, pauses()));
  }
}

/** How a child has ended; undefined if it has not. */
function endOf(c: Native, pid: number): ProgramEnd["code"] | undefined {
  const status = new Int32Array(1);
  if (c.raw("waitpid", pid, status, WNOHANG) === 0) return undefined;
  const [word = 0] = status;
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : "crashed";
}

/** Milliseconds to the next look at a child, which is killed with what it has started when its time is over. */
function pausesUntil(end: number, pid: number): () => number {
  let pause = 0;
  return () => {
    if (performance.now() > end) process.kill(-pid, "SIGKILL");
    pause = Math.min(pause + 1, LONGEST_PAUSE);
    return pause;
  };
}

import { closeSync } from "node:fs";
import { type Descriptors, type Forking, openDescriptors, openForking } from "@qmail-mysql/native";
import { environment, exec, self, writeAll } from "@qmail-mysql/process";
import { OK, Trouble, verdict } from "@qmail-mysql/trouble";
import { worker } from "./worker.ts";

/** The descriptor on which requests come: a name for the worker, its end of the tasks' socket and its output. */
const REQUESTS = 3;
/** Answers, a line each: "+NAME PID", "-NAME" when it cannot be started, "=PID CODE" or "!PID SIGNAL" when it ended. */
const ANSWERS = 1;

const NAME_LIMIT = 32; // bytes

/** The engine is to do all its work in one thread: it makes memory ready, collects garbage and compiles in others. */
const ONE_THREAD = {
  BUN_JSC_useWarmUpMarkedBlocks: "0",
  BUN_JSC_useConcurrentGC: "0",
  BUN_JSC_useConcurrentJIT: "0",
  BUN_JSC_numberOfGCMarkers: "1",
};

interface Request {
  readonly name: string;
  readonly tasks: number;
  readonly output: number;
}

/**
 * A process of qmail-lspawn's that forks its workers. It has done, once, what every worker would have to do at its
 * start, and shares the memory with them. It has one thread, and does nothing for anybody: neither a message nor an
 * answer of the database comes here. When the runtime has started a thread all the same it executes itself anew, which
 * keeps its children; `left` is the request that was not yet obeyed then.
 */
export async function forkServer(left: readonly string[]): Promise<number> {
  if (process.env.BUN_JSC_useConcurrentGC !== "0") executeAnew([]);
  process.umask(0o077);
  environment(); // for the programs of workers, which could not read it any more
  const descriptors = openDescriptors();
  const forking = openForking();
  let request = fromArguments(left);
  for (;;) {
    tellEnds(forking);
    if (!request) {
      const event = forking.wait(REQUESTS);
      if (event === "closed") return OK; // requests that are left are nobody's
      if (event === "readable") request = receive(descriptors);
      if (!request) continue;
    }
    const { name, tasks, output } = request;
    if (!forking.mayFork()) {
      if (left.length > 0) throw new Trouble("unable to fork: the runtime does not stay in one thread");
      for (const fd of [tasks, output]) descriptors.inherit(fd);
      executeAnew([name, `${tasks}`, `${output}`]);
    }
    const pid = forking.fork();
    left = [];
    if (pid === 0) return forking.exit(await child(tasks, output, descriptors));
    closeSync(tasks);
    closeSync(output);
    request = undefined;
    writeAll(ANSWERS, pid === undefined ? `-${name}\n` : `+${name} ${pid}\n`);
  }
}

function receive(descriptors: Descriptors): Request | undefined {
  const packet = Buffer.alloc(NAME_LIMIT);
  const got = descriptors.receive(REQUESTS, packet);
  if (!got) return undefined;
  const name = packet.toString("latin1", 0, got.length);
  const [tasks, output] = got.fds;
  if (tasks !== undefined && output !== undefined) return { name, tasks, output };
  // No room for the descriptors
  got.fds.forEach(closeSync);
  writeAll(ANSWERS, `-${name}\n`);
  return undefined;
}

function tellEnds(forking: Forking): void {
  for (const { pid, code, signal } of forking.reap()) {
    writeAll(ANSWERS, signal === undefined ? `=${pid} ${code}\n` : `!${pid} ${signal}\n`);
  }
}

async function child(tasks: number, output: number, descriptors: Descriptors): Promise<number> {
  closeSync(REQUESTS);
  for (const fd of [1, 2]) descriptors.dup2(output, fd);
  closeSync(output);
  try {
    return await worker(tasks, descriptors);
  } catch (error) {
    const { code, line } = verdict("qmail-lspawn", error);
    writeAll(2, line);
    return code;
  }
}

function executeAnew(left: readonly string[]): never {
  const { file, args, argv0 } = self(["--fork-server", ...left]);
  exec([argv0, ...args], ONE_THREAD, REQUESTS, file);
}

function fromArguments([name, tasks, output]: readonly string[]): Request | undefined {
  return name === undefined ? undefined : { name, tasks: Number(tasks), output: Number(output) };
}

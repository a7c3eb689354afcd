import { closeSync } from "node:fs";
import { type Descriptors, type Forking, openDescriptors, openForking } from "@qmail-mysql/native";
import { environment, exec, args as ownArgs, self, writeAll } from "@qmail-mysql/process";
import { OK, verdict } from "@qmail-mysql/trouble";

/** The descriptor for requests: a name for the worker, with its end of the socket for tasks and its output. */
const REQUESTS = 3;
/** Replies, one per line: "+NAME PID", "-NAME" if it cannot be started, "=PID CODE" or "!PID SIGNAL" when it ended. */
const ANSWERS = 1;

const NAME_LIMIT = 32; // bytes

/** What the workers are. */
export interface Work {
  /** Begins the line of a worker that fails. */
  readonly program: string;
  /** Serves the tasks that arrive at a socket; returns the exit code. */
  readonly work: (tasks: number, descriptors: Descriptors) => number | Promise<number>;
  /** Options of the engine for the workers, in addition to those for one thread. */
  readonly engine?: Readonly<Record<string, string>>;
  /** Does once what each worker would otherwise do in memory of its own. */
  readonly rehearse: (descriptors: Descriptors) => Promise<void>;
}

/** Makes the engine work in one thread, without those that prepare memory, collect garbage and compile. */
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
 * The process that forks workers, the argument --fork-server of a program. It is initialized once, and its workers share
 * this memory. It has one thread and gets no tasks. While the runtime has another thread it does not fork. A worker has
 * no event loop: that of the runtime would be the same for all of them.
 */
export async function forkServer(of: Work): Promise<number> {
  const options = { ...ONE_THREAD, ...of.engine };
  if (Object.entries(options).some(([name, value]) => process.env[name] !== value)) executeAnew(options);
  process.umask(0o077);
  environment(); // needed for the programs of workers, which cannot read it after setuid
  const descriptors = openDescriptors();
  const forking = openForking();
  await of.rehearse(descriptors);
  for (;;) {
    reportEnds(forking);
    const event = forking.wait(REQUESTS);
    if (event === "closed") return OK; // pending requests are no longer needed
    const request = event === "readable" ? receive(descriptors) : undefined;
    if (!request) continue;
    const { name, tasks, output } = request;
    const pid = forking.mayFork() ? forking.fork() : undefined;
    if (pid === 0) return forking.exit(await child(of, tasks, output, descriptors));
    closeSync(tasks);
    closeSync(output);
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
  // A descriptor is missing: the limit on descriptors is reached.
  got.fds.forEach(closeSync);
  writeAll(ANSWERS, `-${name}\n`);
  return undefined;
}

function reportEnds(forking: Forking): void {
  for (const { pid, code, signal } of forking.reap()) {
    writeAll(ANSWERS, signal === undefined ? `=${pid} ${code}\n` : `!${pid} ${signal}\n`);
  }
}

async function child(
  { program, work }: Work,
  tasks: number,
  output: number,
  descriptors: Descriptors,
): Promise<number> {
  closeSync(REQUESTS);
  for (const fd of [1, 2]) descriptors.dup2(output, fd);
  closeSync(output);
  try {
    return await work(tasks, descriptors);
  } catch (error) {
    const { code, line } = verdict(program, error);
    writeAll(2, line);
    return code;
  }
}

function executeAnew(options: Readonly<Record<string, string>>): never {
  const { file, args, argv0 } = self(ownArgs());
  exec([argv0, ...args], options, REQUESTS, file);
}

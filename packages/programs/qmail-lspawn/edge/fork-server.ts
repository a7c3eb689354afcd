import { closeSync } from "node:fs";
import { type Descriptors, type Forking, openDescriptors, openForking } from "@qmail-mysql/native";
import { environment, exec, self, writeAll } from "@qmail-mysql/process";
import { OK, verdict } from "@qmail-mysql/trouble";
import { rehearse } from "./rehearse.ts";
import { worker } from "./worker.ts";

/** The descriptor for requests: a name for the worker, with its end of the socket for tasks and its output. */
const REQUESTS = 3;
/** Replies, one per line: "+NAME PID", "-NAME" if it cannot be started, "=PID CODE" or "!PID SIGNAL" when it ended. */
const ANSWERS = 1;

const NAME_LIMIT = 32; // bytes

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
 * The process that forks the workers of qmail-lspawn. It is initialized once, and its workers share this memory. It has
 * one thread and gets neither messages nor results of the database. While the runtime has another thread it does not
 * fork.
 */
export async function forkServer(): Promise<number> {
  if (Object.entries(ONE_THREAD).some(([name, value]) => process.env[name] !== value)) executeAnew();
  process.umask(0o077);
  environment(); // needed for the programs of workers, which cannot read it after setuid
  const descriptors = openDescriptors();
  const forking = openForking();
  await rehearse(descriptors);
  for (;;) {
    reportEnds(forking);
    const event = forking.wait(REQUESTS);
    if (event === "closed") return OK; // pending requests are no longer needed
    const request = event === "readable" ? receive(descriptors) : undefined;
    if (!request) continue;
    const { name, tasks, output } = request;
    const pid = forking.mayFork() ? forking.fork() : undefined;
    if (pid === 0) return forking.exit(await child(tasks, output, descriptors));
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

function executeAnew(): never {
  const { file, args, argv0 } = self(["--fork-server"]);
  exec([argv0, ...args], ONE_THREAD, REQUESTS, file);
}

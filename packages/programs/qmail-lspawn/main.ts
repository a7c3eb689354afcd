// Resident loop: it reads commands, writes reports and opens messages for all deliveries.
import { closeSync, constants, fstatSync, openSync, read } from "node:fs";
import { qmailHome, readControlFile } from "@qmail-mysql/control-files";
import { type RoutePorts, route } from "@qmail-mysql/delivery";
import { openDescriptors } from "@qmail-mysql/native";
import { resident, writeAll } from "@qmail-mysql/process";
import { findSystemAccounts, memoryLimit } from "@qmail-mysql/system";
import { errno, HARD, OK, reason, Trouble, Usage } from "@qmail-mysql/trouble";
import { splitAddress } from "@qmail-mysql/wire";
import { type Command, commandReader, encodeNumber, objection } from "./command.ts";
import { openRoutePorts } from "./edge/ports.ts";
import { openWorkers, type Workers } from "./edge/workers.ts";
import { lookupFailure, report } from "./report.ts";
import { parseSettings, type Settings } from "./settings.ts";

const COMMANDS = 0;
const REPORTS = 1;
const TASKS = 3; // of a worker that was not forked
const GETENT = 5; // seconds
const CHUNK = 65_536;

/** qmail-lspawn defaultdelivery: makes the deliveries that qmail-send asks for. qmail-lspawn(8). */
export async function main(args: readonly string[]): Promise<number> {
  const [defaultDelivery] = args;
  if (defaultDelivery === undefined) throw new Usage(HARD, "qmail-lspawn defaultdelivery");
  if (defaultDelivery === "--fork-server") return (await import("./edge/fork.ts")).forkWorkers();
  if (defaultDelivery === "--worker")
    return (await import("./edge/worker.ts")).worker(TASKS, openDescriptors());
  resident();
  process.umask(0o077);
  const home = qmailHome();
  try {
    process.chdir(`${home}/queue/mess`);
  } catch (error) {
    throw new Trouble(`unable to switch to ${home}/queue/mess: ${reason(error)}`);
  }
  const memory = memoryLimit();
  const parse = (text: string, file: string) => parseSettings(text, file, memory);
  const settings = readControlFile(`${home}/control/lspawn-settings`, parse, "");
  const [queueOwner] = findSystemAccounts(["qmailq"], GETENT);
  if (!queueOwner) throw new Trouble("unable to find the account qmailq: no such user");
  const workers = openWorkers(settings, openDescriptors());
  const ports = openRoutePorts(home);
  tell(encodeNumber(settings.spawn, settings.delnumBytes));
  const deliver = delivery(defaultDelivery, queueOwner.uid, ports, workers);
  await serve(settings, deliver);
  workers.close();
  return OK;
}

type Deliver = (command: Command) => Promise<string>;

/** Reads commands to the end of descriptor 0; settles when the last report is written. */
async function serve({ spawn, delnumBytes }: Settings, deliver: Deliver): Promise<void> {
  const busy = new Set<number>();
  const running = new Set<Promise<void>>();
  const commands = commandReader(delnumBytes);
  const answer = (delnum: number, text: string) => tell(`${encodeNumber(delnum, delnumBytes)}${text}\0`);
  for await (const chunk of input()) {
    for (const command of commands(chunk)) {
      const { delnum } = command;
      const refusal = objection(command, spawn, (n) => busy.has(n));
      if (refusal !== undefined) {
        answer(delnum, refusal);
        continue;
      }
      busy.add(delnum);
      const job = deliver(command).then((text) => {
        busy.delete(delnum);
        running.delete(job);
        answer(delnum, text);
      });
      running.add(job);
    }
  }
  await Promise.all(running);
}

/** Reads descriptor 0 in a thread of the runtime, since it is shared and must not be made non-blocking. */
async function* input(): AsyncGenerator<string> {
  const chunk = Buffer.alloc(CHUNK);
  for (;;) {
    const n = await new Promise<number>((resolve, reject) => {
      read(COMMANDS, chunk, 0, CHUNK, null, (error, bytes) => (error ? reject(error) : resolve(bytes)));
    }).catch((error: unknown) => (errno(error) === "EINTR" ? -1 : 0));
    if (n === 0) return;
    if (n > 0) yield chunk.toString("latin1", 0, n);
  }
}

/** Writes a report; if that fails the deliveries continue. */
function tell(bytes: string): void {
  try {
    writeAll(REPORTS, bytes);
  } catch {
    // qmail-send has exited; the message is still in the queue
  }
}

function delivery(
  defaultDelivery: string,
  queueOwner: number,
  ports: () => Promise<RoutePorts>,
  workers: Workers,
): Deliver {
  return async ({ messid, sender, recipient }) => {
    const message = openMessage(messid, queueOwner);
    if (typeof message === "string") return message;
    const { local, host } = splitAddress(recipient) ?? { local: "", host: "" };
    if (local === "") {
      closeSync(message);
      return report({ status: OK }, ""); // stock qmail-lspawn discards mail without a local part
    }
    const warnings: string[] = [];
    const found = await ports()
      .then(async (now) => {
        const warn = (line: string) => {
          warnings.push(line);
          now.warn(line);
        };
        return { now, got: await route(local, host, { ...now, warn }) };
      })
      .catch(lookupFailure);
    if (typeof found === "string" || typeof found.got === "number") {
      closeSync(message);
      return typeof found === "string" ? found : report({ status: found.got as number }, "");
    }
    const { uid, gid, user, home, dash, ext } = found.got.control;
    const order = { user, home, local, dash, ext, host, sender, defaultDelivery };
    const { magicForwarding } = found.now.settings;
    const outcome = await workers.deliver(
      { uid, gid, order, magicForwarding, aliases: found.got.aliases },
      message,
    );
    if (outcome === "no fork") return "Zqmail-spawn unable to fork. (#4.3.0)\n";
    return report(outcome.ended, outcome.output, warnings);
  };
}

/** The descriptor of the message, or the report of an error. */
function openMessage(messid: string, queueOwner: number): number | string {
  let fd: number;
  try {
    fd = openSync(messid, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return "Zqmail-spawn unable to open message. (#4.3.0)\n";
  }
  try {
    const stat = fstatSync(fd);
    const why = !stat.isFile()
      ? "ZSorry, message has wrong type. (#4.3.5)\n"
      : stat.uid !== queueOwner
        ? "ZSorry, message has wrong owner. (#4.3.5)\n"
        : undefined;
    if (why === undefined) return fd;
    closeSync(fd);
    return why;
  } catch {
    closeSync(fd);
    return "Zqmail-spawn unable to fstat message. (#4.3.0)\n";
  }
}

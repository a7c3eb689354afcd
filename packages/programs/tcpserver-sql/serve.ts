import { type Connection, childEnvironment, NO_RULE, type Rule, ruleFor } from "@qmail-mysql/connection";
import { writeAll } from "@qmail-mysql/process";
import { inTurns } from "@qmail-mysql/socket";
import type { OpenRules } from "@qmail-mysql/tcp-rules";
import { errno, HARD, reason, SOFT } from "@qmail-mysql/trouble";
import type { Names } from "./edge/dns.ts";
import type { Accepted, Programs, TcpListener, TcpSystem } from "./edge/tcp-system.ts";
import { relayLine, verdictLine } from "./log.ts";
import type { Options } from "./options.ts";
import { PerAddress } from "./per-address.ts";
import { type Ends, trueEnds } from "./proxy.ts";
import type { RelaySource } from "./relay-source.ts";

export interface Parts {
  readonly system: TcpSystem;
  readonly listeners: readonly TcpListener[];
  readonly base: readonly string[];
  readonly programs: Programs;
  readonly names: Names;
  readonly askIdent: (
    local: Connection["local"],
    remote: Connection["remote"],
    seconds: number,
  ) => Promise<string | undefined>;
  readonly openRules: OpenRules;
  readonly relay: RelaySource | undefined;
  /** Calls back when no more connections are to be accepted. */
  readonly onStop: (stop: () => void) => void;
  readonly say: (level: 1 | 2, line: string) => void;
}

// Wait statuses for the `end` line: a child of tcpserver that drops or denies exits 111 or 100.
const DROPPED = SOFT << 8;
const DENIED = HARD << 8;

interface Callbacks {
  /** A program serves the connection. */
  readonly started: (pid: number | string) => void;
  /** May this address have another connection? */
  readonly admitted: (ip: string) => boolean;
}

/** Serves until it is stopped; running children are not terminated, and accepted connections still get one. */
export function serve(options: Options, parts: Parts): Promise<void> {
  const { say } = parts;
  const children = new Map<number | string, string | undefined>(); // and the address of the client
  const addresses = new PerAddress(options.perAddress);
  let pending = 0;
  let isOver = false;
  let whenOver = () => {};

  const status = () => say(2, `status: ${children.size + pending}/${options.limit}`);
  const ended = (pid: number | string, code: number) => {
    say(2, `end ${pid} status ${code}`);
    status();
  };
  const accept = inTurns(() => {
    if (isOver || children.size + pending >= options.limit || !parts.programs.isReady()) return false;
    const accepted = next(parts.listeners);
    if (!accepted) return false;
    pending++;
    status();
    void take(accepted);
    return true;
  });
  const take = async (accepted: Accepted): Promise<void> => {
    let address: string | undefined;
    // Registered at once: a child may end before a promise is resolved.
    const started = (pid: number | string) => {
      pending--;
      children.set(pid, address);
    };
    const admitted = (ip: string) => {
      if (addresses.enter(ip)) address = ip;
      return address === ip;
    };
    let outcome: number | undefined;
    try {
      outcome = await start(accepted, options, { ...parts, started, admitted });
    } catch (error) {
      say(1, `warning: dropping connection, ${reason(error)}`);
      outcome = DROPPED;
    }
    parts.system.close(accepted.fd);
    if (outcome !== undefined) {
      pending--;
      addresses.leave(address);
      ended(process.pid, outcome);
    }
    if (isOver && pending === 0) whenOver();
    else accept();
  };

  status();
  parts.programs.watch((pid, code) => {
    if (children.has(pid)) {
      addresses.leave(children.get(pid));
      children.delete(pid);
      ended(pid, code);
    }
    accept();
  }, accept);
  for (const listener of parts.listeners) listener.watch(accept);
  accept();
  return new Promise((resolve) => {
    whenOver = resolve;
    parts.onStop(() => {
      if (isOver) return;
      isOver = true;
      for (const listener of parts.listeners) listener.close();
      if (pending === 0) resolve();
    });
  });
}

/** A connection that waits at one of the listeners. */
function next(listeners: readonly TcpListener[]): Accepted | undefined {
  for (const listener of listeners) {
    const accepted = listener.accept();
    if (accepted) return accepted;
  }
  return undefined;
}

/**
 * Everything between accept and the start of the program, which tcpserver does in the child. Returns the wait status to
 * log if no child is started.
 */
async function start(
  accepted: Accepted,
  options: Options,
  parts: Parts & Callbacks,
): Promise<number | undefined> {
  const { ends, via } = await trueEnds(accepted, options.proxies, parts);
  if (!parts.admitted(ends.remote.ip)) {
    parts.say(1, `warning: dropping connection, too many from ${ends.remote.ip}`);
    return DENIED;
  }
  prepareSocket(accepted.fd, options, parts.system);
  const isProxy = via === "itself"; // which may never relay
  const asked = isProxy ? false : (parts.relay?.mayRelay(ends.remote.ip) ?? false); // concurrently with the name lookups
  const connection = await identify(ends, { ...options, askIdent: options.askIdent && !via }, parts);
  const mayRelay = typeof asked === "boolean" ? asked : await asked;
  const rule = findRule(options, connection, parts);
  if (rule.deny) {
    logVerdict("deny", process.pid, connection, parts);
    return DENIED;
  }
  const env = childEnvironment(parts.base, connection, mayRelay, rule.env);
  const isAllowed = (entry: string) => !(isProxy && entry.startsWith("RELAYCLIENT="));
  await launch(accepted.fd, options, connection, env.filter(isAllowed), parts);
  return undefined;
}

function prepareSocket(fd: number, options: Options, system: TcpSystem): void {
  if (options.killIpOptions) system.killIpOptions(fd);
  if (options.noDelay) system.setNoDelay(fd);
  if (options.banner !== "") writeAll(fd, options.banner);
}

async function identify(
  { local, remote }: Ends,
  options: Options,
  { names, askIdent }: Parts,
): Promise<Connection> {
  const remoteHost = options.lookUpHost ? findRemoteHost(names, remote.ip, options.paranoid) : undefined;
  return {
    local,
    remote,
    localHost: options.localName ?? (await names.nameOf(local.ip)),
    remoteHost: await remoteHost,
    remoteInfo: options.askIdent ? await askIdent(local, remote, options.timeout) : undefined,
  };
}

async function launch(
  fd: number,
  { program }: Options,
  connection: Connection,
  env: readonly string[],
  parts: Parts & Callbacks,
): Promise<void> {
  let pid: number | string;
  try {
    const start = parts.programs.start(env, fd);
    pid = typeof start === "number" ? start : await start;
  } catch (error) {
    logVerdict("ok", process.pid, connection, parts);
    throw new Error(`unable to run ${program[0]}: ${reason(error)}`);
  }
  parts.started(pid);
  logVerdict("ok", pid, connection, parts);
  if (parts.relay) parts.say(2, relayLine(pid, connection.remote.ip, env));
}

function logVerdict(word: "ok" | "deny", pid: number | string, connection: Connection, { say }: Parts): void {
  say(2, `pid ${pid} from ${connection.remote.ip}`);
  say(2, verdictLine(word, pid, connection));
}

async function findRemoteHost(names: Names, ip: string, paranoid: boolean): Promise<string | undefined> {
  const name = await names.nameOf(ip);
  if (name === undefined || !paranoid) return name;
  return (await names.hasAddress(name, ip)) ? name : undefined;
}

function findRule(
  { rules, allowNoRules }: Options,
  { remote, remoteHost, remoteInfo }: Connection,
  { openRules, say }: Parts,
): Rule {
  if (rules === undefined) return NO_RULE;
  try {
    return ruleFor({ ip: remote.ip, host: remoteHost, info: remoteInfo }, openRules(rules));
  } catch (error) {
    if (allowNoRules && errno(error) === "ENOENT") return NO_RULE;
    say(2, `pid ${process.pid} from ${remote.ip}`);
    throw new Error(`unable to read ${rules}: ${reason(error)}`);
  }
}

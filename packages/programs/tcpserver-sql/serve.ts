import { writeSync } from "node:fs";
import { reason } from "@qmail-mysql/trouble";
import type { Names } from "./dns.ts";
import type { Accepted, Spawn, TcpListener, TcpSystem } from "./edge/tcp-system.ts";
import { type Connection, environment } from "./environment.ts";
import { relayLine, verdictLine } from "./log.ts";
import type { Options } from "./options.ts";
import type { RelaySource } from "./relay-source.ts";
import { NO_RULE, type Rule, ruleFor } from "./rules.ts";
import type { OpenRules } from "./rules-file.ts";

export interface Parts {
  readonly system: TcpSystem;
  readonly listeners: readonly TcpListener[];
  readonly base: readonly string[];
  readonly spawn: Spawn;
  readonly names: Names;
  readonly askIdent: (
    local: Connection["local"],
    remote: Connection["remote"],
    seconds: number,
  ) => Promise<string | undefined>;
  readonly openRules: OpenRules;
  readonly relay: RelaySource | undefined;
  readonly say: (level: 1 | 2, line: string) => void;
}

// What `end` shows: a child of tcpserver's that drops or denies exits 111 or 100.
const DROPPED = 111 << 8;
const DENIED = 100 << 8;

/** Serves until SIGTERM; then the children live on, and who was accepted still gets one. */
export function serve(options: Options, parts: Parts): Promise<void> {
  const { say } = parts;
  const children = new Set<number>();
  let pending = 0;
  let isOver = false;
  let whenOver = () => {};

  const status = () => say(2, `status: ${children.size + pending}/${options.limit}`);
  const ended = (pid: number, code: number) => {
    say(2, `end ${pid} status ${code}`);
    status();
  };
  const accept = () => {
    for (const listener of parts.listeners) {
      while (!isOver && children.size + pending < options.limit) {
        const accepted = listener.accept();
        if (!accepted) break;
        pending++;
        status();
        void take(accepted);
      }
    }
  };
  const take = async (accepted: Accepted): Promise<void> => {
    // At once: a child may have ended before a promise of it is looked at.
    const started = (pid: number) => {
      pending--;
      children.add(pid);
    };
    let outcome: number | undefined;
    try {
      outcome = await start(accepted, options, parts, started);
    } catch (error) {
      say(1, `warning: dropping connection, ${reason(error)}`);
      outcome = DROPPED;
    }
    parts.system.close(accepted.fd);
    if (outcome !== undefined) {
      pending--;
      ended(process.pid, outcome);
    }
    if (isOver && pending === 0) whenOver();
    else accept();
  };

  status();
  parts.system.watchChildren((pid, code) => {
    if (children.delete(pid)) ended(pid, code);
    accept();
  });
  for (const listener of parts.listeners) listener.watch(accept);
  accept();
  return new Promise((resolve) => {
    whenOver = resolve;
    process.once("SIGTERM", () => {
      isOver = true;
      for (const listener of parts.listeners) listener.close();
      if (pending === 0) resolve();
    });
  });
}

/**
 * Everything between accept and the program's start; tcpserver does it in the child. Answers the wait status
 * that stands for a child where none is started.
 */
async function start(
  { fd, local, remote }: Accepted,
  options: Options,
  parts: Parts,
  started: (pid: number) => void,
): Promise<number | undefined> {
  if (options.killIpOptions) parts.system.killIpOptions(fd);
  if (options.noDelay) parts.system.setNoDelay(fd);
  if (options.banner !== "") writeSync(fd, Buffer.from(options.banner, "latin1"));
  const asked = parts.relay?.mayRelay(remote.ip) ?? false;
  const { names, say } = parts;
  const remoteHost = options.lookUpHost ? findRemoteHost(names, remote.ip, options.paranoid) : undefined;
  const connection: Connection = {
    local,
    remote,
    localHost: options.localName ?? (await names.nameOf(local.ip)),
    remoteHost: remoteHost && (await remoteHost),
    remoteInfo: options.askIdent ? await parts.askIdent(local, remote, options.timeout) : undefined,
  };
  const mayRelay = typeof asked === "boolean" ? asked : await asked;

  const from = `pid ${process.pid} from ${remote.ip}`;
  let rule = NO_RULE;
  if (options.rules !== undefined) {
    try {
      rule = findRule(options.rules, connection, options.allowNoRules, parts.openRules);
    } catch (error) {
      say(2, from);
      throw new Error(`unable to read ${options.rules}: ${reason(error)}`);
    }
  }
  if (rule.deny) {
    say(2, from);
    say(2, verdictLine("deny", process.pid, connection));
    return DENIED;
  }
  try {
    const env = environment(parts.base, connection, mayRelay, rule.env);
    const pid = parts.spawn(env, fd);
    started(pid);
    say(2, `pid ${pid} from ${remote.ip}`);
    say(2, verdictLine("ok", pid, connection));
    if (parts.relay) say(2, relayLine(pid, remote.ip, env));
    return undefined;
  } catch (error) {
    say(2, from);
    say(2, verdictLine("ok", process.pid, connection));
    throw new Error(`unable to run ${options.program[0]}: ${reason(error)}`);
  }
}

async function findRemoteHost(names: Names, ip: string, paranoid: boolean): Promise<string | undefined> {
  const name = await names.nameOf(ip);
  if (name === undefined || !paranoid) return name;
  return (await names.hasAddress(name, ip)) ? name : undefined;
}

function findRule(
  file: string,
  { remote, remoteHost, remoteInfo }: Connection,
  mayLack: boolean,
  open: OpenRules,
): Rule {
  try {
    return ruleFor({ ip: remote.ip, host: remoteHost, info: remoteInfo }, open(file));
  } catch (error) {
    if (mayLack && (error as { code?: unknown }).code === "ENOENT") return NO_RULE;
    throw error;
  }
}

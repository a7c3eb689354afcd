import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { becomeUser, isRoot } from "@qmail-mysql/process";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { type Ip, parseIp } from "@qmail-mysql/wire";
import { leadingNumber, type Options } from "../options.ts";
import type { TcpListener, TcpSystem } from "./tcp-system.ts";

const ANY_V4: Ip = [0, 0, 0, 0];
const ANY_V6: Ip = Array<number>(16).fill(0);

/**
 * Listens on host and port. If host is 0 or empty these are all addresses, with separate sockets for IPv4 and IPv6, so
 * that IPv4 clients have the same addresses as with tcpserver. Throws Trouble.
 */
export async function listenOn(
  system: TcpSystem,
  { host, port, backlog }: Options,
  warn: (line: string) => void,
): Promise<TcpListener[]> {
  const number = portNumber(port);
  if (number === undefined) throw new Trouble(`unable to figure out port number for ${port}`);
  const isAny = host === "" || host === "0";
  const ip = isAny ? ANY_V4 : (parseIp(host) ?? (await resolve(host)));
  if (!ip) throw new Trouble(`no IP address for ${host}`);
  let first: TcpListener;
  try {
    first = await system.listen(ip, number, backlog);
  } catch (error) {
    throw new Trouble(`unable to bind: ${reason(error)}`);
  }
  if (!isAny) return [first];
  try {
    return [first, await system.listen(ANY_V6, first.port, backlog)];
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EAFNOSUPPORT") {
      warn(`serving IPv4 alone: unable to bind: ${reason(error)}`);
    }
    return [first];
  }
}

async function resolve(host: string): Promise<Ip | undefined> {
  const found = await lookup(host, { all: true }).catch(() => []);
  const best = found.find(({ family }) => family === 4) ?? found[0];
  return best && parseIp(best.address);
}

/** A number modulo 2^16, as in tcpserver; "" is 0, any free port; or a name in /etc/services. */
function portNumber(port: string): number | undefined {
  if (/^\d*$/.test(port)) return leadingNumber(port) & 0xffff;
  try {
    for (const line of readFileSync("/etc/services", "latin1").split("\n")) {
      const [name, number = "", ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
      if ((name === port || aliases.includes(port)) && number.endsWith("/tcp")) return leadingNumber(number);
    }
  } catch {
    // without the file the name is unknown
  }
  return undefined;
}

/**
 * Implements -g, -u and -U: a gid or uid of 0 has no effect, as in tcpserver; but with workers, which serve many clients
 * each, root is not allowed. Throws Trouble.
 */
export function dropPrivileges({ uid, gid, idsFromEnv, workers }: Options): void {
  const group = idsFromEnv ? leadingNumber(process.env.GID ?? "") || gid : gid;
  const user = idsFromEnv ? leadingNumber(process.env.UID ?? "") || uid : uid;
  if (workers !== undefined && isRoot()) {
    if (user === 0 || group === 0) throw new Trouble("unable to start workers as root: -w needs -u and -g");
    becomeUser(user, group);
    return;
  }
  const attempt = (what: string, change: () => void) => {
    try {
      change();
    } catch (error) {
      throw new Trouble(`unable to set ${what}: ${reason(error)}`);
    }
  };
  if (group > 0) {
    attempt("gid", () => {
      process.setgroups?.([group]);
      process.setgid?.(group);
    });
  }
  if (user > 0) attempt("uid", () => process.setuid?.(user));
}

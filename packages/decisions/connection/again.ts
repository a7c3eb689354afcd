import { Trouble } from "@qmail-mysql/trouble";
import { formatIp, parseIp } from "@qmail-mysql/wire";
import { baseEnvironment, type Connection, childEnvironment, type Endpoint, nameOf } from "./environment.ts";
import { ruleFor } from "./rules.ts";

/** The client for whom a host speaks that is trusted to say so (XCLIENT). */
export interface NamedClient extends Endpoint {
  /** TCPREMOTEHOST and TCPREMOTEINFO; undefined if unknown. */
  readonly host?: string | undefined;
  readonly info?: string | undefined;
  /** The end that the client connected to; by default that of the host. */
  readonly local?: Endpoint;
}

export interface AgainPorts {
  /** The record of a key of the rules; undefined if there is none. Throws on trouble. */
  readonly findRule: (key: string) => string | undefined;
  /** Does the relay table contain this address? */
  readonly mayRelay: (ip: string) => Promise<boolean>;
}

export type AgainAnswer = { readonly denied: true } | { readonly environment: readonly string[] };

/** Port: decides again for another client. Never rejects. */
export type DecideAgain = (
  environment: readonly string[],
  client: NamedClient,
) => Promise<AgainAnswer | { readonly trouble: string }>;

/**
 * Decides for a client as tcpserver-sql did for the host that now names it, from the environment of that host's session
 * (NAME=value): may it connect, and with which environment? RELAYCLIENT and the variables that the rule of the host set
 * are dropped first. Throws Trouble, also if the client cannot be one.
 */
export async function decideAgain(
  entries: readonly string[],
  client: NamedClient,
  { findRule, mayRelay }: AgainPorts,
): Promise<AgainAnswer> {
  const ip = parseIp(client.ip);
  if (!ip || `${client.host ?? ""}${client.info ?? ""}`.includes("\0")) {
    throw new Trouble("unable to decide about a client: its address or name is invalid");
  }
  const address = formatIp(ip);
  const { local, remote, localHost, remoteHost, remoteInfo } = connectionIn(entries);
  const old = ruleFor({ ip: remote.ip, host: remoteHost, info: remoteInfo }, findRule);
  const base = baseEnvironment(entries).filter(
    (entry) => nameOf(entry) !== "RELAYCLIENT" && !old.env.has(nameOf(entry)),
  );
  const rule = ruleFor({ ip: address, host: client.host, info: client.info }, findRule);
  if (rule.deny) return { denied: true };
  const connection: Connection = {
    local: client.local ?? local,
    remote: { ip: address, port: client.port },
    localHost,
    remoteHost: client.host,
    remoteInfo: client.info,
  };
  return { environment: childEnvironment(base, connection, await mayRelay(address), rule.env) };
}

function connectionIn(entries: readonly string[]): Connection {
  const value = (name: string) =>
    entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  const end = (side: "LOCAL" | "REMOTE"): Endpoint => ({
    ip: value(`TCP${side}IP`) ?? "",
    port: Number(value(`TCP${side}PORT`)) || 0,
  });
  return {
    local: end("LOCAL"),
    remote: end("REMOTE"),
    localHost: value("TCPLOCALHOST"),
    remoteHost: value("TCPREMOTEHOST"),
    remoteInfo: value("TCPREMOTEINFO"),
  };
}

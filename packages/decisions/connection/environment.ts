/** One end of a connection. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** The properties of a connection before its program runs; unknown names are undefined. */
export interface Connection {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly localHost: string | undefined;
  readonly remoteHost: string | undefined;
  readonly remoteInfo: string | undefined;
}

const OWN = new Set([
  "PROTO",
  "TCPLOCALIP",
  "TCPLOCALPORT",
  "TCPLOCALHOST",
  "TCPREMOTEIP",
  "TCPREMOTEPORT",
  "TCPREMOTEHOST",
  "TCPREMOTEINFO",
]);

/** NAME=value entries without those that tcpserver sets or removes, so that no old value reaches a child. */
export function baseEnvironment(entries: readonly string[]): string[] {
  return entries.filter((entry) => entry !== "" && !OWN.has(nameOf(entry)));
}

/**
 * The environment of a child: our own, the variables of the connection, RELAYCLIENT if the relay table contains the
 * client, and the variables of the rule, which override all others.
 */
export function childEnvironment(
  base: readonly string[],
  { local, remote, localHost, remoteHost, remoteInfo }: Connection,
  mayRelay: boolean,
  rule: ReadonlyMap<string, string>,
): string[] {
  const set: string[] = [
    "PROTO=TCP",
    `TCPLOCALIP=${local.ip}`,
    `TCPLOCALPORT=${local.port}`,
    `TCPREMOTEIP=${remote.ip}`,
    `TCPREMOTEPORT=${remote.port}`,
  ];
  if (localHost !== undefined) set.push(`TCPLOCALHOST=${localHost}`);
  if (remoteHost !== undefined) set.push(`TCPREMOTEHOST=${remoteHost}`);
  if (remoteInfo !== undefined) set.push(`TCPREMOTEINFO=${remoteInfo}`);
  const over = mayRelay ? new Map([["RELAYCLIENT", ""], ...rule]) : rule;
  if (over.size === 0) return [...base, ...set];
  const kept = [...base, ...set].filter((entry) => !over.has(nameOf(entry)));
  return [...kept, ...Array.from(over, ([name, value]) => `${name}=${value}`)];
}

/** The name of an entry NAME=value. */
export function nameOf(entry: string): string {
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : entry.slice(0, equals);
}

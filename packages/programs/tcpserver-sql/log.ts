import type { Connection } from "@qmail-mysql/connection";
import { relayWords } from "@qmail-mysql/relay";

const MAX_PART = 100; // bytes of a name in a log line

/** The line `ok` or `deny` with both ends of the connection, as in tcpserver. */
export function verdictLine(word: "ok" | "deny", pid: number | string, connection: Connection): string {
  const { local, remote, localHost, remoteHost, remoteInfo } = connection;
  const here = [safe(localHost), local.ip, local.port].join(":");
  const there = [safe(remoteHost), remote.ip, safe(remoteInfo), remote.port].join(":");
  return `${word} ${pid} ${here} ${there}`;
}

/** The line of db/relay: whether RELAYCLIENT is set, by the table, a rule or our own environment. */
export function relayLine(pid: number | string, ip: string, env: readonly string[]): string {
  const isClient = env.some((entry) => entry.startsWith("RELAYCLIENT="));
  return `pid ${pid} ${relayWords(ip, isClient)}`;
}

/** A name from the network for a log line: without blanks, colons and control bytes, and of limited length. */
export function safe(text = ""): string {
  const shown = text.slice(0, MAX_PART).replace(/[^!-~]|[%:]/g, "?");
  return text.length > MAX_PART ? `${shown}...` : shown;
}

import { relayWords } from "@qmail-mysql/relay";
import type { Connection } from "./child-environment.ts";

const MAX_PART = 100; // bytes of a name that a log line shows

/** `ok` or `deny` and who talks to whom, as tcpserver writes it. */
export function verdictLine(word: "ok" | "deny", pid: number, connection: Connection): string {
  const { local, remote, localHost, remoteHost, remoteInfo } = connection;
  const here = [safe(localHost), local.ip, local.port].join(":");
  const there = [safe(remoteHost), remote.ip, safe(remoteInfo), remote.port].join(":");
  return `${word} ${pid} ${here} ${there}`;
}

/** Whether the program was given RELAYCLIENT, by the table, a rule or our own environment; in db/relay's words. */
export function relayLine(pid: number, ip: string, env: readonly string[]): string {
  const isClient = env.some((entry) => entry.startsWith("RELAYCLIENT="));
  return `pid ${pid} ${relayWords(ip, isClient)}`;
}

/** A name from elsewhere, made fit for a log: no blanks, no colons, no control bytes, not too long. */
export function safe(text = ""): string {
  const shown = text.slice(0, MAX_PART).replace(/[^!-~]|[%:]/g, "?");
  return text.length > MAX_PART ? `${shown}...` : shown;
}

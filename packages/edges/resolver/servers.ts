import { readFileSync } from "node:fs";
import { nameServers } from "@qmail-mysql/dns";
import { parseIp } from "@qmail-mysql/wire";

const FILE = "/etc/resolv.conf";
const KEPT = 600_000; // milliseconds; dns_rcip.c of djbdns reads the file again after 10 minutes

/** The addresses of the name servers: $DNSCACHEIP, as in ucspi-tcp, else those in /etc/resolv.conf. */
export function systemServers(cacheIp: string | undefined, now: () => number): () => readonly string[] {
  if (cacheIp !== undefined && parseIp(cacheIp)) return () => [cacheIp];
  let servers: readonly string[] = [];
  let until = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() < until) return servers;
    until = now() + KEPT;
    servers = nameServers(textOf(FILE), (word) => parseIp(word) !== undefined);
    return servers;
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // then the server of this host is asked, as by the C library
  }
}

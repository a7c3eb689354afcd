import { Resolver } from "node:dns/promises";
import { fromText, ipWords, lower, parseIp } from "@qmail-mysql/wire";

/** The names of the world. Each answers undefined when there is none, or none to be had. */
export interface Names {
  /** The name of an address, in lower case. */
  nameOf(ip: string): Promise<string | undefined>;
  /** Does the name have that address? */
  hasAddress(name: string, ip: string): Promise<boolean>;
}

const TIMEOUT = 5000; // milliseconds for a server's first chance; each further try has twice as long
const TRIES = 3;
const MAX_NAME = 255; // RFC 1035

/** Names by DNS alone, as tcpserver: of the servers in /etc/resolv.conf, or the one in $DNSCACHEIP. */
export function dnsNames(cache: string | undefined): Names {
  const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES });
  if (cache && parseIp(cache)) resolver.setServers([cache]);
  return {
    async nameOf(ip) {
      const names = await resolver.resolvePtr(reverseName(ip)).catch(() => []);
      const name = lower(fromText(names[0] ?? ""))
        .slice(0, MAX_NAME)
        .replace(/\.$/, "");
      return name === "" || name.includes("\0") ? undefined : name;
    },
    async hasAddress(name, ip) {
      const found = ip.includes(":") ? resolver.resolve6(name) : resolver.resolve4(name);
      const own = parseIp(ip)?.join();
      return (await found.catch(() => [])).some((address) => parseIp(address)?.join() === own);
    },
  };
}

/** 1.2.0.192.in-addr.arpa, or the 32 nibbles of an IPv6 address below ip6.arpa. */
export function reverseName(text: string): string {
  const ip = parseIp(text) ?? [];
  if (ip.length === 4) return `${[...ip].reverse().join(".")}.in-addr.arpa`;
  const nibbles = ipWords(ip).flatMap((word) => [...word.toString(16).padStart(4, "0")]);
  return `${nibbles.reverse().join(".")}.ip6.arpa`;
}

import { Resolver } from "node:dns/promises";
import { fromText, ipWords, lower, parseIp } from "@qmail-mysql/wire";

/** DNS lookups. */
export interface Names {
  /** The name of an address, in lower case; undefined if there is none, or no server replies. */
  nameOf(ip: string): Promise<string | undefined>;
  /** Does the name have that address? False if no server replies. */
  hasAddress(name: string, ip: string): Promise<boolean>;
}

const TIMEOUT = 5000; // milliseconds for the first query to a server; doubled for each retry
const TRIES = 3;

/** Lookups only in DNS, as in tcpserver, with the servers in /etc/resolv.conf or the one in $DNSCACHEIP. */
export function dnsNames(cache: string | undefined): Names {
  const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES });
  if (cache && parseIp(cache)) resolver.setServers([cache]);
  return {
    async nameOf(ip) {
      const [name] = await resolver.resolvePtr(reverseName(ip)).catch(() => []);
      return name === undefined ? undefined : hostName(fromText(name));
    },
    async hasAddress(name, ip) {
      const own = parseIp(ip)?.join();
      const literal = parseIp(name);
      if (literal) return literal.join() === own;
      // The resolver of the runtime does not support such names.
      if (name === "." || name.includes("\\")) return false;
      const found = ip.includes(":") ? resolver.resolve6(name) : resolver.resolve4(name);
      return (await found.catch(() => [])).some((address) => parseIp(address)?.join() === own);
    },
  };
}

/**
 * A name as ucspi-tcp prints it (dns_domain_todot_cat): lower case; every byte of a label except letters, digits, - and
 * _ as a backslash and three octal digits, so that a label cannot contain blanks, colons or dots. The resolver returns
 * bytes as a backslash and three decimal digits, and escapes other characters with a backslash.
 */
export function hostName(text: string): string {
  const bytes = text.matchAll(/\\(\d{3})|\\?(.)/gs);
  const shown = Array.from(bytes, ([whole, code, char = ""]) => {
    if (whole === "." || /^[A-Za-z0-9_-]$/.test(whole)) return lower(whole);
    const byte = code === undefined ? char.charCodeAt(0) : Number(code) & 0xff;
    return `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return shown.join("") || "."; // the root
}

/** 1.2.0.192.in-addr.arpa, or the 32 nibbles of an IPv6 address below ip6.arpa. */
export function reverseName(text: string): string {
  const ip = parseIp(text) ?? [];
  if (ip.length === 4) return `${[...ip].reverse().join(".")}.in-addr.arpa`;
  const nibbles = ipWords(ip).flatMap((word) => [...word.toString(16).padStart(4, "0")]);
  return `${nibbles.reverse().join(".")}.ip6.arpa`;
}

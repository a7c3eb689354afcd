import { openResolver, systemServers } from "@qmail-mysql/resolver";
import { parseIp } from "@qmail-mysql/wire";

/** DNS lookups. */
export interface Names {
  /** The name of an address, in lower case; undefined if there is none, or no server replies. */
  nameOf(ip: string): Promise<string | undefined>;
  /** Does the name have that address? False if no server replies. */
  hasAddress(name: string, ip: string): Promise<boolean>;
}

const now = () => performance.now();

/** Lookups only in DNS, as in tcpserver, with the servers in /etc/resolv.conf or the one in $DNSCACHEIP. */
export function dnsNames(cache: string | undefined): Names {
  const { lookUp, namesOf } = openResolver({ servers: systemServers(cache, now) });
  return {
    async nameOf(ip) {
      const [name] = await namesOf(ip).catch(() => []);
      return name;
    },
    async hasAddress(name, ip) {
      const own = parseIp(ip)?.join();
      const literal = parseIp(name);
      if (literal) return literal.join() === own;
      if (name === ".") return false; // the root has no address
      const found = await lookUp(name, ip.includes(":") ? "AAAA" : "A").catch(() => []);
      return found.some((address) => parseIp(address)?.join() === own);
    },
  };
}

import type { Ip } from "@qmail-mysql/wire";

const ANY = "0.0.0.0"; // refers to this host: ipme.c of qmail

/** Is it an IPv4 address of this host? */
export function isLocalIp(ip: Ip): boolean {
  const text = ip.join(".");
  if (text === ANY) return true;
  // Loaded only for an address literal.
  const { networkInterfaces } = process.getBuiltinModule("node:os");
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === text));
}

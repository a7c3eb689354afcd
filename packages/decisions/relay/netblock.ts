import { type Ip, parseIp } from "@qmail-mysql/wire";

/** The addresses that share their first `bits` bits with `ip`. */
export interface Netblock {
  readonly ip: Ip;
  readonly bits: number;
}

// 10.  10.1  10.1.2.  but not 10.1.2.3
const DOTTED = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){0,2}\.?$/;
const V6_PREFIX = /^(?:[0-9a-f]{1,4}:){1,7}$/i;
const CIDR = /^([0-9a-f.:]+)\/(0|[1-9]\d{0,2})$/i;

/**
 * Parses a netblock of a relay table or a relayclients file: CIDR (10.1.0.0/16, 2001:db8::/32), a dotted prefix with
 * or without its last dot (10.1. and 10.1), an IPv6 prefix ending in a colon (2001:db8:). Undefined for anything else,
 * including a single address.
 */
export function parseNetblock(text: string): Netblock | undefined {
  const cidr = CIDR.exec(text);
  if (cidr) return parseCidr(cidr[1] ?? "", Number(cidr[2]));
  if (DOTTED.test(text)) {
    const bytes = text.replace(/\.$/, "").split(".").map(Number);
    if (bytes.some((byte) => byte > 255)) return undefined;
    return { ip: [...bytes, ...Array<number>(4 - bytes.length).fill(0)], bits: bytes.length * 8 };
  }
  if (!V6_PREFIX.test(text)) return undefined;
  const ip = parseIp(`${text}${text.split(":").length > 8 ? "0" : ":"}`);
  return ip?.length === 16 ? { ip, bits: (text.split(":").length - 1) * 16 } : undefined;
}

/** Parses a netblock or a single address. */
export function parseClient(text: string): Netblock | undefined {
  const ip = parseIp(text);
  return ip ? { ip, bits: ip.length * 8 } : parseNetblock(text);
}

function parseCidr(address: string, bits: number): Netblock | undefined {
  const ip = parseIp(address);
  if (!ip) return undefined;
  // The prefix length of an IPv4-mapped address such as ::ffff:10.0.0.0/104 includes its first 96 bits.
  const skipped = ip.length === 4 && address.includes(":") ? 96 : 0;
  const own = bits - skipped;
  return own >= 0 && own <= ip.length * 8 ? { ip, bits: own } : undefined;
}

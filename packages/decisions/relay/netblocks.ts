import type { Ip } from "@qmail-mysql/wire";
import type { Netblock } from "./netblock.ts";

/** A set of netblocks, each valid until a time of the caller's clock. */
export interface Netblocks {
  readonly size: number;
  contains(ip: Ip, now: number): boolean;
  /** The time until which a block contains it; 0 if none does. */
  until(ip: Ip): number;
}

/**
 * Netblocks indexed by their first address, so that a lookup takes one step per prefix length in use, not per block.
 * The first and the last address of a block belong to it.
 */
export function netblocks(blocks: Iterable<Netblock & { readonly until: number }>): Netblocks {
  const until = new Map<string, number>();
  const lengths: Record<4 | 16, Set<number>> = { 4: new Set(), 16: new Set() };
  for (const block of blocks) {
    const key = masked(block.ip, block.bits);
    until.set(key, Math.max(until.get(key) ?? 0, block.until));
    lengths[block.ip.length as 4 | 16].add(block.bits);
  }
  return {
    size: until.size,
    contains(ip, now) {
      for (const bits of lengths[ip.length as 4 | 16]) {
        if ((until.get(masked(ip, bits)) ?? 0) > now) return true;
      }
      return false;
    },
    until: (ip) =>
      Math.max(0, ...[...lengths[ip.length as 4 | 16]].map((bits) => until.get(masked(ip, bits)) ?? 0)),
  };
}

/** The first address of the block of `bits` bits around `ip`, and its length: "4/16/10.1.0.0". */
function masked(ip: Ip, bits: number): string {
  const bytes = ip.map((byte, i) => byte & (0xff00 >> Math.min(Math.max(bits - i * 8, 0), 8)) & 0xff);
  return `${ip.length}/${bits}/${bytes.join(".")}`;
}

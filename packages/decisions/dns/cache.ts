/** Results of lookups for as long as their TTL permits. */
export interface DnsCache<R> {
  get(key: string): R | undefined;
  /** `ttl` in seconds. */
  put(key: string, result: R, ttl: number, bytes: number): void;
}

const LONGEST = 86_400; // seconds; RFC 8767, 4 suggests at most days to weeks
const OVERHEAD = 200; // bytes of an entry besides key and result

/** Keeps at most `limit` bytes, estimated; the least recently used entries are dropped first. `now` in milliseconds. */
export function openDnsCache<R>(limit: number, now: () => number): DnsCache<R> {
  const entries = new Map<string, { readonly result: R; readonly until: number; readonly size: number }>();
  let held = 0;
  const drop = (key: string) => {
    held -= entries.get(key)?.size ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      drop(key);
      if (entry.until <= now()) return undefined;
      entries.set(key, entry);
      held += entry.size;
      return entry.result;
    },
    put(key, result, ttl, bytes) {
      drop(key);
      if (ttl <= 0) return;
      const size = OVERHEAD + key.length + bytes;
      entries.set(key, { result, until: now() + 1000 * Math.min(ttl, LONGEST), size });
      held += size;
      for (const oldest of entries.keys()) {
        if (held <= limit) break;
        drop(oldest);
      }
    },
  };
}

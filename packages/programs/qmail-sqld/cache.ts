import { Trouble } from "@qmail-mysql/trouble";

/** How long a value is used, in milliseconds. */
export interface Keep {
  readonly ttl: number;
  /** For the value that means none. */
  readonly negativeTtl: number;
  /** If the current value cannot be fetched. */
  readonly stale: number;
  /** The same for the value that means none; default: as stale. */
  readonly negativeStale?: number;
}

export interface CacheCounts {
  hits: number;
  misses: number;
  /** Calls that waited for a fetch of the same key that was in progress. */
  joined: number;
  stale: number;
}

export interface Cache<T> {
  /** Returns the value of `key`: the cached one, or that of a fetch in progress, or that of a new fetch. */
  get(key: string, keep: Keep, fetch: () => Promise<T>): T | Promise<T>;
  forget(key: string): void;
  flush(): void;
  readonly counts: CacheCounts;
  bytes(): number;
  entries(): number;
}

interface Entry<T> {
  readonly value: T;
  readonly at: number;
  readonly size: number;
}

const OVERHEAD = 200; // approximate bytes of an entry beside its key and its value

/** A cache of at most `limit` bytes that evicts the least recently used entries. */
export function openCache<T>(
  limit: number,
  isNone: (value: T) => boolean,
  sizeOf: (value: T) => number,
  now: () => number,
): Cache<T> {
  const entries = new Map<string, Entry<T>>(); // in the order of their last use
  const coming = new Map<string, Promise<T>>();
  const counts = { hits: 0, misses: 0, joined: 0, stale: 0 };
  let bytes = 0;
  let generation = 0;

  function forget(key: string): void {
    bytes -= entries.get(key)?.size ?? 0;
    entries.delete(key);
  }

  function put(key: string, value: T): void {
    forget(key);
    const size = key.length + sizeOf(value) + OVERHEAD;
    if (size > limit) return;
    entries.set(key, { value, at: now(), size });
    bytes += size;
    for (const oldest of entries.keys()) {
      if (bytes <= limit) break;
      forget(oldest);
    }
  }

  async function fetchOnce(key: string, keep: Keep, fetch: () => Promise<T>): Promise<T> {
    const born = generation;
    try {
      const value = await fetch();
      // A value fetched before a flush may be outdated.
      if (born === generation) put(key, value);
      return value;
    } catch (error) {
      const entry = entries.get(key);
      if (!(error instanceof Trouble) || !entry) throw error;
      const stale = isNone(entry.value) ? (keep.negativeStale ?? keep.stale) : keep.stale;
      if (now() - entry.at > stale) throw error;
      counts.stale++;
      return entry.value;
    } finally {
      if (born === generation) coming.delete(key);
    }
  }

  return {
    counts,
    bytes: () => bytes,
    entries: () => entries.size,
    get(key, keep, fetch) {
      const entry = entries.get(key);
      if (entry && now() - entry.at < (isNone(entry.value) ? keep.negativeTtl : keep.ttl)) {
        counts.hits++;
        entries.delete(key);
        entries.set(key, entry);
        return entry.value;
      }
      const same = coming.get(key);
      if (same) {
        counts.joined++;
        return same;
      }
      counts.misses++;
      const promise = fetchOnce(key, keep, fetch);
      coming.set(key, promise);
      return promise;
    },
    forget,
    flush() {
      generation++;
      entries.clear();
      coming.clear();
      bytes = 0;
    },
  };
}

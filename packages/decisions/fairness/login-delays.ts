/** A key, for example a client address, under which attempts are counted. */
export interface Counted {
  readonly key: string;
  /** Number of failures that cause no delay. */
  readonly free: number;
  /** Number of concurrent attempts that do not delay each other. */
  readonly parallel: number;
  /**
   * For a key that several logins share: milliseconds after which one failure is forgotten. A right password then makes
   * up for one failure, and never ends the delay at once.
   */
  readonly forgets?: number;
}

/** Increasing delays against guessing passwords, separately for each key. */
export interface LoginDelays {
  /** `wait`: milliseconds to wait before the attempt. `later`: the attempt is refused; milliseconds until the next. */
  begin(counted: readonly Counted[]): { readonly wait: number } | { readonly later: number };
  /** An attempt is over. `isRight` is undefined if the password could not be compared. */
  end(counted: readonly Counted[], isRight: boolean | undefined): void;
  /** Counts a failure of an attempt that did not begin here. */
  failed(counted: readonly Counted[]): void;
}

interface Entry {
  failures: number;
  /** Attempts that are not over; each may fail. */
  pending: number;
  /** Time from which the next attempt may begin. */
  next: number;
  /** Time of the last use. */
  at: number;
  /** Time up to which failures have been forgotten. */
  forgotten: number;
}

// Milliseconds. The delay doubles with each failure after the free ones.
const FIRST = 250;
const LONGEST = 60_000;
const MAX_WAIT = 15_000; // no attempt waits longer: clients would time out
const FORGIVEN = 600_000; // a key without attempts for this long is reset
const MOST = 100_000; // keys; the least recently used are dropped first

export function openLoginDelays(now: () => number): LoginDelays {
  const entries = new Map<string, Entry>(); // least recently used first

  function entryOf({ key, forgets }: Counted): Entry {
    const known = entries.get(key);
    const isGood = known && (known.pending > 0 || now() - known.at < FORGIVEN);
    const entry = isGood ? known : { failures: 0, pending: 0, next: 0, at: 0, forgotten: now() };
    entry.at = now();
    if (forgets !== undefined) {
      const some = Math.floor((now() - entry.forgotten) / forgets);
      entry.failures = Math.max(0, entry.failures - some);
      entry.forgotten += some * forgets;
    }
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > MOST) entries.delete(entries.keys().next().value as string);
    return entry;
  }

  const delay = (failures: number, free: number) =>
    failures < free ? 0 : Math.min(FIRST * 2 ** (failures - free), LONGEST);

  function fail(entry: Entry, free: number): void {
    entry.failures++;
    entry.next = Math.max(entry.next, now() + delay(entry.failures, free));
  }

  function succeed(entry: Entry, { forgets }: Counted, isFirst: boolean): void {
    if (isFirst) Object.assign(entry, { failures: 0, next: 0 });
    else if (forgets !== undefined) entry.failures = Math.max(0, entry.failures - 1);
  }

  return {
    begin(counted) {
      const all = counted.map((one) => ({ ...one, entry: entryOf(one) }));
      const start = Math.max(now(), ...all.map(({ entry }) => entry.next));
      const wait = start - now();
      if (wait > MAX_WAIT) return { later: wait };
      for (const { entry, free, parallel } of all) {
        entry.next = start + delay(entry.failures + Math.max(0, entry.pending - parallel), free);
        entry.pending++;
      }
      return { wait };
    },
    end(counted, isRight) {
      for (const [i, one] of counted.entries()) {
        const entry = entryOf(one);
        entry.pending = Math.max(0, entry.pending - 1);
        if (isRight === false) fail(entry, one.free);
        if (isRight) succeed(entry, one, i === 0);
      }
    },
    failed(counted) {
      for (const one of counted) fail(entryOf(one), one.free);
    },
  };
}

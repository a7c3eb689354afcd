/** What an attempt is counted under. */
export interface Counted {
  readonly key: string;
  /** So many failures cost nothing. */
  readonly free: number;
  /** So many attempts at a time do not delay each other. */
  readonly parallel: number;
}

/** Growing delays for those who guess passwords. Each key has its own: nobody is delayed for what another does. */
export interface LoginDelays {
  /** Milliseconds that an attempt has to wait, or that there are until one may be made, if these are too many. */
  begin(counted: readonly Counted[]): { readonly wait: number } | { readonly later: number };
  /** An attempt that began is over. `isRight` is undefined when that could not be told. */
  end(counted: readonly Counted[], isRight: boolean | undefined): void;
  /** Counts a failure that was judged elsewhere. */
  failed(counted: readonly Counted[]): void;
}

interface Entry {
  failures: number;
  /** Attempts begun and not over: each may be a failure. */
  pending: number;
  /** When the next may begin. */
  next: number;
  /** When it was last used. */
  at: number;
}

// Milliseconds. The delay doubles with each failure that is not free.
const FIRST = 250;
const LONGEST = 60_000;
const PATIENCE = 15_000; // no attempt waits longer: its client would not
const FORGIVEN = 600_000; // after so long without an attempt nothing is held against a key
const MOST = 100_000; // keys; the longest unused ones are forgotten first

export function openLoginDelays(now: () => number): LoginDelays {
  const entries = new Map<string, Entry>(); // in the order of their last use

  function entryOf(key: string): Entry {
    const known = entries.get(key);
    const isGood = known && (known.pending > 0 || now() - known.at < FORGIVEN);
    const entry = isGood ? known : { failures: 0, pending: 0, next: 0, at: 0 };
    entry.at = now();
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > MOST) entries.delete(entries.keys().next().value as string);
    return entry;
  }

  const delay = (failures: number, free: number) =>
    failures < free ? 0 : Math.min(FIRST * 2 ** (failures - free), LONGEST);

  return {
    begin(counted) {
      const all = counted.map(({ key, free, parallel }) => ({ entry: entryOf(key), free, parallel }));
      const start = Math.max(now(), ...all.map(({ entry }) => entry.next));
      const wait = start - now();
      if (wait > PATIENCE) return { later: wait };
      for (const { entry, free, parallel } of all) {
        entry.next = start + delay(entry.failures + Math.max(0, entry.pending - parallel), free);
        entry.pending++;
      }
      return { wait };
    },
    end(counted, isRight) {
      for (const { key, free } of counted) {
        const entry = entryOf(key);
        entry.pending = Math.max(0, entry.pending - 1);
        if (isRight === false) {
          entry.failures++;
          entry.next = Math.max(entry.next, now() + delay(entry.failures, free));
        }
      }
      const [first] = counted;
      if (isRight && first) Object.assign(entryOf(first.key), { failures: 0, next: 0 });
    },
    failed(counted) {
      for (const { key, free } of counted) {
        const entry = entryOf(key);
        entry.failures++;
        entry.next = Math.max(entry.next, now() + delay(entry.failures, free));
      }
    },
  };
}

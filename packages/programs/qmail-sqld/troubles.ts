/** Decides which errors are logged: each one when it begins and when it ends. */
export interface Troubles {
  /** `what` failed. Returns the line to log if it did not fail before. */
  failed(what: string, why: string): string | undefined;
  /** `what` succeeded. Returns the line to log if it had failed, but not within the last `settled` milliseconds. */
  works(what: string, settled: number): string | undefined;
  /** An error that no success ends, such as an invalid row. Returns the line to log if it was not logged recently. */
  happened(why: string): string | undefined;
  /** Number of errors. */
  count(): number;
}

interface Failing {
  readonly since: number;
  last: number;
  count: number;
}

const AGAIN = 600_000; // milliseconds until the same line is logged again
const MOST = 1000; // lines remembered

export function openTroubles(now: () => number): Troubles {
  const failing = new Map<string, Failing>();
  const logged = new Map<string, { at: number; more: number }>(); // by line, oldest first
  let count = 0;
  return {
    count: () => count,
    failed(what, why) {
      count++;
      const one = failing.get(what);
      if (one) {
        one.last = now();
        one.count++;
        return undefined;
      }
      failing.set(what, { since: now(), last: now(), count: 1 });
      return `warning: ${why}`;
    },
    works(what, settled) {
      const one = failing.size === 0 ? undefined : failing.get(what);
      if (!one || now() - one.last < settled) return undefined;
      failing.delete(what);
      const seconds = Math.round((now() - one.since) / 1000);
      return `${what} works again after ${seconds} seconds; failures: ${one.count}`;
    },
    happened(why) {
      count++;
      const before = logged.get(why);
      if (before && now() - before.at < AGAIN) {
        before.more++;
        return undefined;
      }
      logged.delete(why);
      logged.set(why, { at: now(), more: 0 });
      if (logged.size > MOST) logged.delete(logged.keys().next().value as string);
      return `warning: ${why}${before?.more ? `; ${before.more} times more since it was last logged` : ""}`;
    },
  };
}

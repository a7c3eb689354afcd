/** What goes wrong, and what is to be said about it: each thing once, and its end. */
export interface Troubles {
  /** `what` failed. The line to say, if this is the first time. */
  failed(what: string, why: string): string | undefined;
  /** `what` succeeded. The line to say, if it had failed, and not within the last `settled` milliseconds. */
  works(what: string, settled: number): string | undefined;
  /** A trouble that no success ends, such as an invalid row. The line to say, if it was not said lately. */
  happened(why: string): string | undefined;
  /** How often anything failed. */
  count(): number;
}

interface Failing {
  readonly since: number;
  last: number;
  count: number;
}

const AGAIN = 600_000; // milliseconds until it is said again
const MOST = 1000; // different ones remembered

export function openTroubles(now: () => number): Troubles {
  const failing = new Map<string, Failing>();
  const said = new Map<string, { at: number; more: number }>(); // the longest ago first
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
      const before = said.get(why);
      if (before && now() - before.at < AGAIN) {
        before.more++;
        return undefined;
      }
      said.delete(why);
      said.set(why, { at: now(), more: 0 });
      if (said.size > MOST) said.delete(said.keys().next().value as string);
      return `warning: ${why}${before?.more ? `; ${before.more} times more since it was last said` : ""}`;
    },
  };
}

/**
 * A database that is served without while it does not answer: whether it is away, what it answered lately, and when a
 * line about it is due. Times are seconds. A configuration that was read again begins a new generation, and what is
 * still under way for an older one no longer counts.
 */
export interface Availability {
  readonly generation: () => number;
  readonly isAway: () => boolean;
  /** Begins a generation: nothing is known of its database. */
  renew(): void;
  /** A question of this generation failed. True when the database is away from now on, and has to be tried again. */
  failed(generation: number): boolean;
  /** A try of this generation succeeded. False when it no longer counts. */
  returned(generation: number): boolean;
  /** Is a line about trouble due? One a minute is said. */
  isLineDue(): boolean;
  /** Keeps a yes for at most `leftSeconds`. */
  keep(key: string, leftSeconds: number): void;
  isKept(key: string): boolean;
}

const KEEP = 1; // seconds that a yes is good for: a login opens the relay at once, nothing closes it sooner
const MAX_KEPT = 10_000;
const SAY_AGAIN = 60; // seconds between lines about the same trouble

export function watchAvailability(now: () => number): Availability {
  let generation = 0;
  let isAway = false;
  let saidAt = Number.NEGATIVE_INFINITY;
  const kept = new Map<string, number>();
  const forgetLines = () => {
    saidAt = Number.NEGATIVE_INFINITY;
  };
  return {
    generation: () => generation,
    isAway: () => isAway,
    renew() {
      generation++;
      isAway = false;
      forgetLines();
      kept.clear();
    },
    failed(of) {
      if (of !== generation || isAway) return false;
      isAway = true;
      return true;
    },
    returned(of) {
      if (of !== generation) return false;
      isAway = false;
      forgetLines();
      return true;
    },
    isLineDue() {
      if (now() - saidAt < SAY_AGAIN) return false;
      saidAt = now();
      return true;
    },
    keep(key, leftSeconds) {
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(key, now() + Math.min(leftSeconds, KEEP));
    },
    isKept: (key) => (kept.get(key) ?? 0) > now(),
  };
}

/**
 * State of a database without which clients are still served: whether it is unavailable, its recent positive results,
 * and when to log a line about it. Times are seconds. Each time the configuration is read a new generation begins;
 * results of older generations are ignored.
 */
export interface Availability {
  readonly generation: () => number;
  readonly isAway: () => boolean;
  /** Begins a new generation, in which nothing is known about the database. */
  renew(): void;
  /** A question of this generation failed. Returns true if the database became unavailable now: start to retry. */
  failed(generation: number): boolean;
  /** A retry of this generation succeeded. Returns false if the generation is over. */
  returned(generation: number): boolean;
  /** Is a line about trouble to be logged now? At most one a minute. */
  isLineDue(): boolean;
  /** Keeps a positive result for at most `leftSeconds`. */
  keep(key: string, leftSeconds: number): void;
  isKept(key: string): boolean;
}

const KEEP = 1; // seconds for which a positive result is kept; others are not, so that a login takes effect at once
const MAX_KEPT = 10_000;
const LINE_INTERVAL = 60; // seconds between lines about the same trouble

export function watchAvailability(now: () => number): Availability {
  let generation = 0;
  let isAway = false;
  let loggedAt = Number.NEGATIVE_INFINITY;
  const kept = new Map<string, number>();
  const forgetLines = () => {
    loggedAt = Number.NEGATIVE_INFINITY;
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
      if (now() - loggedAt < LINE_INTERVAL) return false;
      loggedAt = now();
      return true;
    },
    keep(key, leftSeconds) {
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(key, now() + Math.min(leftSeconds, KEEP));
    },
    isKept: (key) => (kept.get(key) ?? 0) > now(),
  };
}

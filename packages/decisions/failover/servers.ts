export interface ServerState {
  readonly name: string;
  connections: number;
  queries: number;
  failures: number;
  /** Failures since it last answered a question. */
  inARow: number;
  /** 0 while it is available; after a failure, the time (milliseconds) from which it may be tried again. */
  until: number;
  /** It failed by not responding. */
  silent: boolean;
  /** Time (milliseconds) of its last response. */
  heard: number;
}

/** State of the servers of a failover list, by index. */
export interface Servers {
  readonly all: readonly ServerState[];
  /** Index of the first available server; -1 if none. */
  best(): number;
  /** Index of the server to ask: available, else one whose back-off has expired; -1 if none but those to `avoid`. */
  choose(avoid: ReadonlySet<number>): number;
  /** Index of a failed server whose back-off has expired, while another is available; -1 if none. */
  due(): number;
  fail(i: number, isSilent: boolean): void;
  /** Does a question without a response count as a failure of the server? Not if it has just answered others. */
  isBlamed(i: number): boolean;
  answered(i: number): void;
  /** It accepted a connection again. Is it available? */
  stands(i: number): boolean;
}

// Milliseconds. A server that failed is not tried for a time that doubles. The times are short, since no question waits
// for a retry. If all have failed, the list is tried every ALL_AWAY, since mail is waiting.
const FIRST_PENALTY = 500;
const LAST_PENALTY = 4000;
const ALL_AWAY = 500;
// A server that responds again may have been separated from its cluster without knowing it yet: a Galera node
// returns stale rows until evs.suspect_timeout (5 s) has passed.
const SETTLE = 10_000;
/** Milliseconds; a failure that takes longer counts as no response. */
export const SILENCE_MS = 500;

export function watchServers(names: readonly string[], now: () => number): Servers {
  const all: ServerState[] = names.map((name) => ({
    name,
    connections: 0,
    queries: 0,
    failures: 0,
    inARow: 0,
    until: 0,
    silent: false,
    heard: Number.NEGATIVE_INFINITY,
  }));
  const state = (i: number) => all[i] as ServerState;
  const isGood = ({ until }: ServerState) => until === 0;
  const isDue = ({ until }: ServerState) => until <= now();

  return {
    all,
    best: () => all.findIndex(isGood),
    choose(avoid) {
      const good = all.findIndex((one, i) => isGood(one) && !avoid.has(i));
      return good >= 0 ? good : all.findIndex((one, i) => isDue(one) && !avoid.has(i));
    },
    due: () => (all.some(isGood) ? all.findIndex((one) => !isGood(one) && isDue(one)) : -1),
    fail(i, isSilent) {
      const server = state(i);
      server.silent ||= isSilent;
      if (!isDue(server)) return; // failures at the same time count once
      server.failures++;
      server.until = now() + Math.min(FIRST_PENALTY * 2 ** server.inARow++, LAST_PENALTY);
      if (!all.some(isDue)) for (const one of all) one.until = Math.min(one.until, now() + ALL_AWAY);
    },
    isBlamed: (i) => now() - state(i).heard > SILENCE_MS,
    answered(i) {
      Object.assign(state(i), { until: 0, inARow: 0, silent: false, heard: now() });
    },
    stands(i) {
      const server = state(i);
      server.until = server.silent ? now() + SETTLE : 0;
      server.silent = false;
      return isGood(server);
    },
  };
}

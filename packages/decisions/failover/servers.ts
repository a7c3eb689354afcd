export interface ServerState {
  readonly name: string;
  connections: number;
  queries: number;
  failures: number;
  /** Failures since it last answered a question. */
  inARow: number;
  /** 0 while it is good; after a failure, when it may be tried again, in milliseconds. */
  until: number;
  /** It failed by silence. */
  silent: boolean;
  /** When it last answered a question. */
  heard: number;
}

/** What is known of the servers of a failover list, by their places in it. */
export interface Servers {
  readonly all: readonly ServerState[];
  /** Index of the first that is good; -1 if none is. */
  best(): number;
  /** Index of the server to ask: good, else one whose back-off has expired; -1 if none but those to `avoid`. */
  choose(avoid: ReadonlySet<number>): number;
  /** Index of one that failed and whose back-off has expired, while another is good; -1 if none. */
  due(): number;
  fail(i: number, isSilent: boolean): void;
  /** Did it fail, when a question had no answer from it? Not when it has just answered others. */
  isBlamed(i: number): boolean;
  answered(i: number): void;
  /** It accepted a connection again. Is it good? */
  stands(i: number): boolean;
}

// Milliseconds. A server that failed is left alone for a while that doubles, and never long, since no question waits
// for the next try; but when none is left, the list is tried again every ALL_AWAY, for the mail waits too long then.
const FIRST_PENALTY = 500;
const LAST_PENALTY = 4000;
const ALL_AWAY = 500;
// A server that comes back from silence may have been away from its cluster without knowing yet: a Galera node
// answers from old tables until evs.suspect_timeout (5 s) has passed.
const SETTLE = 10_000;
/** What took longer to fail was silence. */
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
      if (!isDue(server)) return; // the failures of one moment are one
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

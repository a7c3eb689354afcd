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

/** What follows from the loss of a connection. */
export interface Loss {
  /** The server did not respond: the question is repeated on another one. */
  readonly isSilent: boolean;
  /** The other connections to the server are probably broken as well. */
  readonly dropOthers: boolean;
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
  /** It did not accept a connection within `elapsedMs`. */
  connectFailed(i: number, elapsedMs: number): Loss;
  /** A connection broke or timed out `elapsedMs` after a question. `wasUsed`: it had answered another before. */
  connectionFailed(i: number, elapsedMs: number, wasUsed: boolean): Loss;
  answered(i: number): void;
  /** Is no better server available, so that an idle connection to this one is kept? */
  isWorthKeeping(i: number): boolean;
  /** It accepted a connection again. Is it available? */
  acceptedAgain(i: number): boolean;
}

// Milliseconds. A server that failed is not tried for a time that doubles. The times are short, since no question waits
// for a retry. If all have failed, the list is tried every ALL_AWAY, since mail is waiting.
const FIRST_PENALTY = 500;
const LAST_PENALTY = 4000;
const ALL_AWAY = 500;
// A server that responds again may have been separated from its cluster without knowing it yet: a Galera node
// returns stale rows until evs.suspect_timeout (5 s) has passed.
const SETTLE = 10_000;
const SILENCE = 500; // a failure that takes longer counts as no response

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
  const best = () => all.findIndex(isGood);

  function fail(i: number, isSilent: boolean): void {
    const server = state(i);
    server.silent ||= isSilent;
    if (!isDue(server)) return; // failures at the same time count once
    server.failures++;
    server.until = now() + Math.min(FIRST_PENALTY * 2 ** server.inARow++, LAST_PENALTY);
    if (!all.some(isDue)) for (const one of all) one.until = Math.min(one.until, now() + ALL_AWAY);
  }

  return {
    all,
    best,
    choose(avoid) {
      const good = all.findIndex((one, i) => isGood(one) && !avoid.has(i));
      return good >= 0 ? good : all.findIndex((one, i) => isDue(one) && !avoid.has(i));
    },
    due: () => (all.some(isGood) ? all.findIndex((one) => !isGood(one) && isDue(one)) : -1),
    connectFailed(i, elapsedMs) {
      const isSilent = elapsedMs > SILENCE;
      fail(i, isSilent);
      return { isSilent, dropOthers: isSilent };
    },
    connectionFailed(i, elapsedMs, wasUsed) {
      const isSilent = elapsedMs > SILENCE;
      // A server that has just answered others is not the cause of one question without a response, and one whose
      // connection breaks after use may only have closed it.
      const isServer = isSilent ? now() - state(i).heard > SILENCE : !wasUsed;
      if (isServer) fail(i, isSilent);
      return { isSilent, dropOthers: isSilent ? isServer : wasUsed };
    },
    isWorthKeeping: (i) => best() < 0 || best() >= i,
    answered(i) {
      Object.assign(state(i), { until: 0, inARow: 0, silent: false, heard: now() });
    },
    acceptedAgain(i) {
      const server = state(i);
      server.until = server.silent ? now() + SETTLE : 0;
      server.silent = false;
      return isGood(server);
    },
  };
}

import { openLedger, openRates, openShares } from "@qmail-mysql/fairness";
import { Trouble } from "@qmail-mysql/trouble";
import { type Answers, Connection } from "./connection.ts";
import { type Accepted, listenUnix } from "./unix-listener.ts";

export interface ServerCounts {
  accepted: number;
  /** Connections closed for invalid data, for a timeout, and to make room for another. */
  garbage: number;
  slow: number;
  crowded: number;
  /** Closed because they held the most memory when all together held too much. */
  greedy: number;
  /** Closed at once because there were too many connections. */
  refused: number;
}

export interface Listener {
  readonly counts: ServerCounts;
  clients(): number;
  /** Accepts no more connections; resolves when the last pending question is answered. */
  stop(): Promise<void>;
}

const DEADLINE = 5000; // milliseconds to complete a question, or to read an answer
const SWEEP = 1000; // milliseconds
const PER_SECOND = 2000; // connections of one uid; a host that delivers at full speed makes 500
const MEMORY = 64 << 20; // bytes of questions and answers of all clients together
const UNKNOWN = -1; // stands for the uid of a client whose uid is unknown

/** Answers questions on a unix socket. A client cannot delay others. */
export function listen(
  path: string,
  maxClients: number,
  answers: Answers,
  ready: () => void,
  failed: (error: Error) => void,
): Listener {
  const ownUid = process.getuid?.() ?? 0;
  const isPrivileged = (uid: number) => uid === 0 || uid === ownUid || uid === UNKNOWN;
  const clients = openShares<Connection>(maxClients, isPrivileged);
  const mayConnect = openRates(PER_SECOND, () => performance.now());
  const memory = openLedger<Connection>(MEMORY);
  const counts: ServerCounts = { accepted: 0, garbage: 0, slow: 0, crowded: 0, greedy: 0, refused: 0 };
  let stopped: (() => void) | undefined;

  function admit({ uid, open, refuse }: Accepted): void {
    counts.accepted++;
    const owner = uid ?? UNKNOWN;
    const place = isPrivileged(owner) || mayConnect(owner) ? clients.admit(owner) : "refused";
    if (place === "refused") {
      counts.refused++;
      refuse();
      return;
    }
    if (place.close) {
      counts.crowded++;
      place.close.close();
    }
    const peer = () => {
      if (uid === undefined) throw new Trouble("unable to determine the uid of the client");
      return uid;
    };
    const client: Connection = new Connection(open, peer, answers, {
      busy: () => clients.busy(client),
      idle: () => clients.idle(client),
      garbage: () => counts.garbage++,
      holds(bytes) {
        const largest = memory.note(owner, client, bytes);
        if (!largest) return;
        counts.greedy++;
        largest.close();
      },
      closed() {
        memory.note(owner, client, 0);
        clients.remove(client);
        if (clients.size === 0) stopped?.();
      },
    });
    clients.add(owner, client);
  }

  const sweep = setInterval(() => {
    const late = performance.now() - DEADLINE;
    for (const client of clients.members()) {
      if (!client.isSlow(late)) continue;
      counts.slow++;
      client.close();
    }
  }, SWEEP);

  const listener = listenUnix(path, admit, ready, failed);
  return {
    counts,
    clients: () => clients.size,
    stop: () =>
      new Promise((resolve) => {
        stopped = () => {
          clearInterval(sweep);
          resolve();
        };
        listener.close();
        for (const client of clients.members()) client.end();
        if (clients.size === 0) stopped();
      }),
  };
}

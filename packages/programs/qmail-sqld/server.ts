import { createServer, type Server, type Socket } from "node:net";
import { peerUid } from "@qmail-mysql/socket";
import { QUESTION_LIMIT } from "@qmail-mysql/store";
import { netstring, netstringReader } from "@qmail-mysql/wire";
import { type Answer, Misasked, type Peer, trouble } from "./answer.ts";

/** What answers a question; throws Misasked when it is none. */
export type Answers = (payload: string, peer: Peer) => Answer | Promise<Answer>;

export interface ServerCounts {
  accepted: number;
  /** Closed for garbage, for being slow, and to make room for another. */
  garbage: number;
  slow: number;
  crowded: number;
}

export interface Listener {
  readonly counts: ServerCounts;
  clients(): number;
  /** Accepts nobody any more; settles when the last question at hand is answered. */
  stop(): Promise<void>;
}

interface Client {
  readonly socket: Socket;
  /** Questions read and not yet begun. */
  readonly queue: string[];
  /** Answers in the order of their questions, undefined while on their way. */
  readonly answers: { bytes: Answer | undefined }[];
  /** When it began what it has not ended: a question, or taking an answer. 0: nothing. */
  since: number;
  holds: () => boolean;
  scheduled: boolean;
}

// At hand per client, so that one with many questions waits for itself and not the others for it.
const AT_HAND = 4;
const PER_TURN = 4;
const DEADLINE = 5000; // milliseconds to send a question begun, or to take an answer
const SWEEP = 1000;

/** Answers questions on a unix socket. Nothing one client does is felt by another. */
export function listen(
  path: string,
  maxClients: number,
  answers: Answers,
  ready: () => void,
  failed: (error: Error) => void,
): Listener {
  const clients = new Set<Client>(); // the one that has been quiet longest first
  const counts: ServerCounts = { accepted: 0, garbage: 0, slow: 0, crowded: 0 };
  let stopped: (() => void) | undefined;

  function close(client: Client): void {
    client.socket.destroy();
    clients.delete(client);
    if (clients.size === 0) stopped?.();
  }

  function schedule(client: Client): void {
    if (client.scheduled) return;
    client.scheduled = true;
    setImmediate(() => {
      client.scheduled = false;
      work(client);
    });
  }

  /** Begins some of the client's questions, and then lets the others have their turn. */
  function work(client: Client): void {
    for (let turn = 0; turn < PER_TURN; turn++) {
      if (client.socket.destroyed || client.socket.writableNeedDrain) return;
      if (client.answers.length >= AT_HAND) return;
      const question = client.queue.shift();
      if (question === undefined) break;
      const slot: { bytes: Answer | undefined } = { bytes: undefined };
      client.answers.push(slot);
      try {
        const answer = answers(question, () => peerUid(client.socket));
        if (typeof answer === "string") slot.bytes = answer;
        else {
          answer.then(
            (bytes) => {
              slot.bytes = bytes;
              flush(client);
            },
            (error) => misasked(client, error),
          );
        }
      } catch (error) {
        misasked(client, error);
        return;
      }
    }
    flush(client);
  }

  function flush(client: Client): void {
    const { socket, queue, answers } = client;
    if (socket.destroyed) return;
    let out = "";
    while (answers[0]?.bytes !== undefined) out += netstring(answers.shift()?.bytes ?? "");
    if (out !== "" && !socket.write(out, "latin1")) client.since ||= performance.now();
    if (queue.length > 0) schedule(client);
    else if (answers.length === 0) {
      if (stopped) socket.end();
      else if (socket.isPaused()) socket.resume();
    }
  }

  function misasked(client: Client, error: unknown): void {
    counts.garbage++;
    const why = error instanceof Misasked ? error.message : "unable to answer";
    client.socket.end(netstring(trouble(why)), "latin1");
    clients.delete(client);
    if (clients.size === 0) stopped?.();
    client.queue.length = 0;
    setTimeout(() => client.socket.destroy(), SWEEP).unref();
  }

  function admit(socket: Socket): void {
    counts.accepted++;
    if (clients.size >= maxClients) {
      counts.crowded++;
      for (const quietest of clients) {
        close(quietest);
        break;
      }
    }
    const reader = netstringReader(QUESTION_LIMIT);
    const client: Client = {
      socket,
      queue: [],
      answers: [],
      since: 0,
      holds: reader.holds,
      scheduled: false,
    };
    clients.add(client);
    socket.on("error", () => close(client));
    socket.on("close", () => close(client));
    socket.on("drain", () => {
      client.since = 0;
      schedule(client);
    });
    socket.on("data", (chunk) => {
      clients.delete(client);
      clients.add(client);
      try {
        client.queue.push(...reader.push(chunk.toString("latin1")));
      } catch {
        counts.garbage++;
        return close(client);
      }
      if (!socket.writableNeedDrain) {
        client.since = reader.holds() ? client.since || performance.now() : 0;
      }
      if (client.queue.length === 0) return;
      // One question is the rule; more than can be at hand wait in the socket, not here.
      if (client.queue.length > AT_HAND) socket.pause();
      work(client);
    });
  }

  const sweep = setInterval(() => {
    const late = performance.now() - DEADLINE;
    for (const client of clients) {
      if (client.since > 0 && client.since < late) {
        counts.slow++;
        close(client);
      }
    }
  }, SWEEP);

  const server: Server = createServer(admit);
  server.on("error", failed);
  server.listen(path, ready);
  return {
    counts,
    clients: () => clients.size,
    stop: () =>
      new Promise((resolve) => {
        clearInterval(sweep);
        stopped = resolve;
        server.close();
        for (const client of clients) {
          if (client.queue.length === 0 && client.answers.length === 0) close(client);
        }
        if (clients.size === 0) resolve();
      }),
  };
}

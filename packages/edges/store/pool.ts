import {
  type Ask,
  type Database,
  type Row,
  type Statement,
  Unavailable,
  type Value,
} from "@qmail-mysql/database";
import type { ServerState } from "@qmail-mysql/failover";
import { type Connection, Connections, type PoolServer } from "./connections.ts";

export interface Pool {
  readonly ask: Ask;
  query(statement: Statement, values: readonly Value[]): Promise<Row[]>;
  /** An idempotent change: it is retried if the connection breaks, so it may run twice. */
  change(statement: Statement, values: readonly Value[]): Promise<number>;
  readonly servers: readonly ServerState[];
  /** Questions that wait for a connection. */
  waiting(): number;
  close(): Promise<void>;
}

/**
 * Asks over at most `most` connections. A question whose connection breaks is repeated on another connection; one
 * without a response is repeated on another server; `timeoutMs` is the limit for all tries together. A server that
 * failed is retried independently of the questions, and is available again when it accepts a connection; questions use
 * it only if no other is available. Which server is available is decided by @qmail-mysql/failover.
 */
export function openPool(
  list: readonly PoolServer[],
  most: number,
  timeoutMs: number,
  now: () => number,
): Pool {
  const connections = new Connections(list, most, now);
  const { servers } = connections;

  async function using<T>(ask: (database: Database) => Promise<T>): Promise<T> {
    const end = now() + timeoutMs;
    const avoid = new Set<number>();
    for (let tries = 0; ; tries++) {
      let connection: Connection | undefined;
      let began = 0;
      try {
        connection = await connections.take(end, avoid);
        began = now();
        const answer = await ask(connection.database);
        connections.release(connection);
        return answer;
      } catch (error) {
        const isLost = error instanceof Unavailable;
        if (connection && !isLost) connections.release(connection);
        else if (connection && connections.lost(connection, now() - began).isSilent)
          avoid.add(connection.server);
        const again = isLost && now() < end && tries <= list.length && servers.choose(avoid) >= 0;
        if (!again) throw error;
      }
    }
  }

  return {
    servers: servers.all,
    waiting: () => connections.waiting.length,
    ask: (question, values) => using((database) => database.ask(question, values)),
    query: (statement, values) => using((database) => database.query(statement, values)),
    change: (statement, values) => using((database) => database.change(statement, values)),
    close: async () => connections.close(),
  };
}

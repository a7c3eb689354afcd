import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import { type Database, type Mode, type Row, Unavailable, type Value } from "./database.ts";
import { openDatabase } from "./open.ts";
import type { Statement } from "./statements.ts";

/** One server of the failover list: how to connect to it, and what became of that. */
export interface PoolServer {
  readonly name: string;
  readonly open: () => Promise<Database>;
}

export interface ServerState {
  readonly name: string;
  connections: number;
  queries: number;
  failures: number;
  /** Failures since it last answered, and until when it is left alone for them, in milliseconds. */
  inARow: number;
  until: number;
}

export interface Pool {
  query(statement: Statement, values: readonly Value[]): Promise<Row[]>;
  /** A change that may well be made twice, when its connection breaks. */
  change(statement: Statement, values: readonly Value[]): Promise<number>;
  readonly servers: readonly ServerState[];
  /** Questions that wait for a connection. */
  waiting(): number;
  close(): Promise<void>;
}

interface Held {
  readonly database: Database;
  readonly server: number;
  used: boolean;
}

// Milliseconds. A server that failed is left alone for a while that doubles; but when none is left, the list is
// tried again every ALL_AWAY, for that is how long the mail then waits too long.
const FIRST_PENALTY = 500;
const LAST_PENALTY = 30_000;
const ALL_AWAY = 500;
const WAITING = 2000; // questions that may wait for a connection

/**
 * A few connections to the first server of the list that answers. A question whose connection breaks is asked
 * again on another, within `timeout` milliseconds in all. When a server earlier in the list is worth another
 * try, one connection to it is tried beside the questions, and if it stands they move there.
 */
export function openPool(
  list: readonly PoolServer[],
  connections: number,
  timeout: number,
  now: () => number,
): Pool {
  const servers: ServerState[] = list.map(({ name }) => ({
    name,
    connections: 0,
    queries: 0,
    failures: 0,
    inARow: 0,
    until: 0,
  }));
  let idle: Held[] = [];
  let open = 0;
  let returning = false;
  let closed = false;
  const waiting: { wake: () => void; end: number }[] = [];

  const state = (i: number) => servers[i] as ServerState;
  const best = () => servers.findIndex(({ until }) => until <= now());

  function punish(i: number): void {
    const server = state(i);
    server.failures++;
    server.until = now() + Math.min(FIRST_PENALTY * 2 ** server.inARow++, LAST_PENALTY);
    if (best() < 0) for (const one of servers) one.until = Math.min(one.until, now() + ALL_AWAY);
  }

  async function connect(i: number): Promise<Held> {
    open++;
    state(i).connections++;
    try {
      const held = { database: await (list[i] as PoolServer).open(), server: i, used: false };
      state(i).inARow = 0;
      return held;
    } catch (error) {
      open--;
      state(i).connections--;
      punish(i);
      throw error;
    }
  }

  function drop(held: Held): void {
    open--;
    state(held.server).connections--;
    held.database.close().catch(() => {});
    waiting.shift()?.wake();
  }

  function release(held: Held): void {
    const preferred = idle.some(({ server }) => server < held.server);
    if (closed || preferred) {
      drop(held);
    } else {
      idle.push(held);
      waiting.shift()?.wake();
    }
  }

  /** Tries the preferred server again, beside the questions; they stay where they are until it stands. */
  function goBack(to: number): void {
    if (returning || open > connections) return;
    returning = true;
    connect(to)
      .then(
        (held) => {
          for (const old of idle.filter(({ server }) => server > to)) drop(old);
          idle = idle.filter(({ server }) => server <= to);
          release(held);
        },
        () => {},
      )
      .finally(() => {
        returning = false;
      });
  }

  async function take(end: number): Promise<Held> {
    for (;;) {
      const first = best();
      const held = idle.reduce<Held | undefined>((a, b) => (a && a.server <= b.server ? a : b), undefined);
      if (held) {
        idle.splice(idle.indexOf(held), 1);
        if (first >= 0 && first < held.server) goBack(first);
        return held;
      }
      if (open < connections) {
        if (first < 0) throw new Unavailable(`unable to connect to the database at ${names()}: none answers`);
        return connect(first);
      }
      if (waiting.length >= WAITING)
        throw new Unavailable("unable to query the database: too many questions");
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(waiter), 1);
          reject(new Unavailable("unable to query the database: every connection is busy"));
        }, end - now());
        const waiter = {
          end,
          wake: () => {
            clearTimeout(timer);
            resolve();
          },
        };
        waiting.push(waiter);
      });
    }
  }

  const names = () => servers.map(({ name }) => name).join(", ");

  /** After a connection broke: the others to that server are as old, and most likely as broken. */
  function broken(held: Held): void {
    if (held.used) {
      for (const old of idle.filter(({ server }) => server === held.server)) drop(old);
      idle = idle.filter(({ server }) => server !== held.server);
    } else punish(held.server);
    drop(held);
  }

  async function using<T>(ask: (database: Database) => Promise<T>): Promise<T> {
    const end = now() + timeout;
    for (let tries = 0; ; tries++) {
      let held: Held | undefined;
      const began = now();
      try {
        held = await take(end);
        state(held.server).queries++;
        const answer = await ask(held.database);
        held.used = true;
        release(held);
        return answer;
      } catch (error) {
        if (held && !(error instanceof Unavailable)) release(held);
        else if (held) {
          // Silence is the server's fault, and so is a new connection that breaks.
          if (now() - began > FIRST_PENALTY) held.used = false;
          broken(held);
        }
        const again = error instanceof Unavailable && best() >= 0 && now() < end && tries <= list.length;
        if (!again) throw error;
      }
    }
  }

  return {
    servers,
    waiting: () => waiting.length,
    query: (statement, values) => using((database) => database.query(statement, values)),
    change: (statement, values) => using((database) => database.change(statement, values)),
    async close() {
      closed = true;
      const all = idle;
      idle = [];
      for (const held of all) drop(held);
    },
  };
}

/** The failover list, each server on its own. With several, none may use up the time of the others. */
export function poolServers(sql: DatabaseAddress, qmailHome: string, mode: Mode = "resident"): PoolServer[] {
  if (sql.driver === "sqlite") {
    return [{ name: sql.db, open: () => openDatabase(sql, qmailHome, mode) }];
  }
  const timeout = sql.servers.length === 1 ? sql.timeout : sql.timeout / (sql.servers.length + 1);
  return sql.servers.map((server) => ({
    name: serverName(server),
    open: () => openDatabase({ ...sql, servers: [server], timeout }, qmailHome, mode),
  }));
}

function serverName(server: Server): string {
  if ("socket" in server) return server.socket;
  return server.port === undefined ? server.host : `${server.host}:${server.port}`;
}

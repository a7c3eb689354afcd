import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import { type Database, type Mode, type Row, Unavailable, type Value } from "./database.ts";
import { openDatabase } from "./open.ts";
import type { Ask } from "./questions.ts";
import { type ServerState, SILENCE, watchServers } from "./servers.ts";
import type { Statement } from "./statements.ts";

/** One server of the failover list: how to connect to it, and what became of that. */
export interface PoolServer {
  readonly name: string;
  readonly open: () => Promise<Database>;
}

export interface Pool {
  readonly ask: Ask;
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

const WAITING = 2000; // questions that may wait for a connection

/**
 * A few connections to the first server of the list that is good. A question whose connection breaks is asked
 * again on another, and one that a server was silent to on another server, within `timeout` milliseconds in all.
 * A server that failed is tried again beside the questions, and if it stands it is good again; the questions
 * themselves try it only when no other is good.
 */
export function openPool(
  list: readonly PoolServer[],
  connections: number,
  timeout: number,
  now: () => number,
): Pool {
  const servers = watchServers(
    list.map(({ name }) => name),
    now,
  );
  let idle: Held[] = [];
  let open = 0; // or being opened, for a question
  let trying = false;
  let closed = false;
  let failure = ""; // why the last connect did not succeed
  const waiting: (() => void)[] = [];

  const state = (i: number) => servers.all[i] as ServerState;
  const allFailed = () =>
    list.length === 1 && failure !== ""
      ? failure
      : `unable to connect to the database at ${list.map(({ name }) => name).join(", ")}: none answers`;

  function fail(i: number, isSilent: boolean): void {
    servers.fail(i, isSilent);
    if (isSilent) dropIdle((one) => one === i);
  }

  async function connect(i: number): Promise<Held> {
    const began = now();
    state(i).connections++;
    try {
      return { database: await (list[i] as PoolServer).open(), server: i, used: false };
    } catch (error) {
      state(i).connections--;
      if (error instanceof Error) failure = error.message;
      fail(i, now() - began > SILENCE);
      throw error;
    }
  }

  async function connectForQuestion(i: number): Promise<Held> {
    open++;
    return connect(i).catch((error) => {
      freed();
      throw error;
    });
  }

  function freed(): void {
    open--;
    waiting.shift()?.();
  }

  function hangUp({ server, database }: Held): void {
    state(server).connections--;
    database.close().catch(() => {});
  }

  function drop(held: Held): void {
    hangUp(held);
    freed();
  }

  function dropIdle(which: (server: number) => boolean): void {
    const dropped = idle.filter(({ server }) => which(server));
    idle = idle.filter(({ server }) => !which(server));
    dropped.forEach(drop);
  }

  function release(held: Held): void {
    const best = servers.best();
    if (closed || (best >= 0 && best < held.server)) {
      drop(held);
    } else {
      idle.push(held);
      waiting.shift()?.();
    }
  }

  /** Tries a server that failed again; the questions stay where they are until it stands. */
  function tryAgain(): void {
    const i = servers.due();
    if (trying || i < 0) return;
    trying = true;
    connect(i)
      .then(
        (held) => {
          if (!servers.stands(i)) return hangUp(held);
          dropIdle((one) => one > i);
          open++;
          release(held);
        },
        () => {},
      )
      .finally(() => {
        trying = false;
      });
  }

  async function take(end: number, avoid: ReadonlySet<number>): Promise<Held> {
    for (;;) {
      tryAgain();
      const held = idle
        .filter(({ server }) => !avoid.has(server))
        .reduce<Held | undefined>((a, b) => (a && a.server <= b.server ? a : b), undefined);
      if (held) {
        idle.splice(idle.indexOf(held), 1);
        return held;
      }
      if (open < connections) {
        const i = servers.choose(avoid);
        if (i < 0) throw new Unavailable(allFailed());
        return connectForQuestion(i);
      }
      if (waiting.length >= WAITING)
        throw new Unavailable("unable to query the database: too many questions");
      await turn(end);
    }
  }

  /** Settles when a connection may be free. */
  function turn(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(wake), 1);
        reject(new Unavailable("unable to query the database: every connection is busy"));
      }, end - now());
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      waiting.push(wake);
    });
  }

  function answered(held: Held): void {
    held.used = true;
    servers.answered(held.server);
    release(held);
  }

  /** After a connection broke, or was given up. */
  function broken(held: Held, asked: number, avoid: Set<number>): void {
    const isSilent = now() - asked > SILENCE;
    if (isSilent) avoid.add(held.server);
    if (isSilent ? servers.isBlamed(held.server) : !held.used) fail(held.server, isSilent);
    // The other connections are as old, and most likely as broken.
    else if (!isSilent) dropIdle((one) => one === held.server);
    drop(held);
  }

  async function using<T>(ask: (database: Database) => Promise<T>): Promise<T> {
    const end = now() + timeout;
    const avoid = new Set<number>();
    for (let tries = 0; ; tries++) {
      let held: Held | undefined;
      let asked = 0;
      try {
        held = await take(end, avoid);
        asked = now();
        state(held.server).queries++;
        const answer = await ask(held.database);
        answered(held);
        return answer;
      } catch (error) {
        if (held && !(error instanceof Unavailable)) answered(held);
        else if (held) broken(held, asked, avoid);
        const again =
          error instanceof Unavailable && now() < end && tries <= list.length && servers.choose(avoid) >= 0;
        if (!again) throw error;
      }
    }
  }

  return {
    servers: servers.all,
    waiting: () => waiting.length,
    ask: (question, values) => using((database) => database.ask(question, values)),
    query: (statement, values) => using((database) => database.query(statement, values)),
    change: (statement, values) => using((database) => database.change(statement, values)),
    async close() {
      closed = true;
      dropIdle(() => true);
    },
  };
}

/**
 * The failover list, each server on its own. With several, none may use up the time of the others: silence of all
 * of them leaves two shares for a question that had to wait before.
 */
export function poolServers(sql: DatabaseAddress, qmailHome: string, mode: Mode = "resident"): PoolServer[] {
  if (sql.driver === "sqlite") {
    return [{ name: sql.db, open: () => openDatabase(sql, qmailHome, mode) }];
  }
  const timeout = sql.servers.length === 1 ? sql.timeout : sql.timeout / (sql.servers.length + 2);
  return sql.servers.map((server) => ({
    name: serverName(server),
    open: () => openDatabase({ ...sql, servers: [server], timeout }, qmailHome, mode),
  }));
}

function serverName(server: Server): string {
  if ("socket" in server) return server.socket;
  return server.port === undefined ? server.host : `${server.host}:${server.port}`;
}

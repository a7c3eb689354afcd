import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import {
  type Ask,
  type Database,
  type Mode,
  type Row,
  type Statement,
  Unavailable,
  type Value,
} from "@qmail-mysql/database";
import {
  type ServerState,
  type Servers,
  SILENCE_MS,
  shareOfSilence,
  watchServers,
} from "@qmail-mysql/failover";
import { openDatabase } from "./open.ts";

/** One server of the failover list, and how to connect to it. */
export interface PoolServer {
  readonly name: string;
  readonly open: () => Promise<Database>;
}

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

interface Held {
  readonly database: Database;
  readonly server: number;
  used: boolean;
}

const WAITING = 2000; // questions that may wait for a connection

/**
 * A few connections to the first available server of the list. A question whose connection breaks is repeated on another
 * connection; one without a response is repeated on another server; `timeoutMs` is the limit for all tries together. A
 * server that failed is retried independently of the questions, and is available again when it accepts a connection;
 * questions use it only if no other is available. Which server is available is decided by @qmail-mysql/failover.
 */
export function openPool(
  list: readonly PoolServer[],
  connections: number,
  timeoutMs: number,
  now: () => number,
): Pool {
  const pool = new Connections(list, connections, timeoutMs, now);
  return {
    servers: pool.servers.all,
    waiting: () => pool.waiting.length,
    ask: (question, values) => pool.using((database) => database.ask(question, values)),
    query: (statement, values) => pool.using((database) => database.query(statement, values)),
    change: (statement, values) => pool.using((database) => database.change(statement, values)),
    close: async () => pool.close(),
  };
}

class Connections {
  readonly servers: Servers;
  readonly waiting: (() => void)[] = [];
  private readonly list: readonly PoolServer[];
  private readonly connections: number;
  private readonly timeoutMs: number;
  private readonly now: () => number;
  private idle: Held[] = [];
  private open = 0; // connections that are open, or being opened for a question
  private trying = false;
  private closed = false;
  private failure = ""; // why the last connect did not succeed

  constructor(list: readonly PoolServer[], connections: number, timeoutMs: number, now: () => number) {
    this.list = list;
    this.connections = connections;
    this.timeoutMs = timeoutMs;
    this.now = now;
    const names = list.map(({ name }) => name);
    this.servers = watchServers(names, now);
  }

  async using<T>(ask: (database: Database) => Promise<T>): Promise<T> {
    const end = this.now() + this.timeoutMs;
    const avoid = new Set<number>();
    for (let tries = 0; ; tries++) {
      let held: Held | undefined;
      let asked = 0;
      try {
        held = await this.take(end, avoid);
        asked = this.now();
        this.state(held.server).queries++;
        const answer = await ask(held.database);
        this.answered(held);
        return answer;
      } catch (error) {
        if (held && !(error instanceof Unavailable)) this.answered(held);
        else if (held) this.broken(held, asked, avoid);
        const again =
          error instanceof Unavailable &&
          this.now() < end &&
          tries <= this.list.length &&
          this.servers.choose(avoid) >= 0;
        if (!again) throw error;
      }
    }
  }

  close(): void {
    this.closed = true;
    this.dropIdle(() => true);
  }

  private state(i: number): ServerState {
    return this.servers.all[i] as ServerState;
  }

  private allFailed(): Unavailable {
    const names = this.list.map(({ name }) => name).join(", ");
    return new Unavailable(
      this.list.length === 1 && this.failure !== ""
        ? this.failure
        : `unable to connect to the database at ${names}: none answers`,
    );
  }

  private fail(i: number, isSilent: boolean): void {
    this.servers.fail(i, isSilent);
    if (isSilent) this.dropIdle((one) => one === i);
  }

  private async connect(i: number): Promise<Held> {
    const began = this.now();
    this.state(i).connections++;
    try {
      return { database: await (this.list[i] as PoolServer).open(), server: i, used: false };
    } catch (error) {
      this.state(i).connections--;
      if (error instanceof Error) this.failure = error.message;
      this.fail(i, this.now() - began > SILENCE_MS);
      throw error;
    }
  }

  private async connectForQuestion(i: number): Promise<Held> {
    this.open++;
    return this.connect(i).catch((error) => {
      this.freed();
      throw error;
    });
  }

  private freed(): void {
    this.open--;
    this.waiting.shift()?.();
  }

  private hangUp({ server, database }: Held): void {
    this.state(server).connections--;
    database.close().catch(() => {});
  }

  private drop(held: Held): void {
    this.hangUp(held);
    this.freed();
  }

  private dropIdle(which: (server: number) => boolean): void {
    const dropped = this.idle.filter(({ server }) => which(server));
    this.idle = this.idle.filter(({ server }) => !which(server));
    for (const held of dropped) this.drop(held);
  }

  private release(held: Held): void {
    const best = this.servers.best();
    if (this.closed || (best >= 0 && best < held.server)) {
      this.drop(held);
    } else {
      this.idle.push(held);
      this.waiting.shift()?.();
    }
  }

  /** Retries a failed server; questions go to the others until it accepts a connection. */
  private tryAgain(): void {
    const i = this.servers.due();
    if (this.trying || i < 0) return;
    this.trying = true;
    this.connect(i)
      .then(
        (held) => {
          if (!this.servers.stands(i)) return this.hangUp(held);
          this.dropIdle((one) => one > i);
          this.open++;
          this.release(held);
        },
        () => {},
      )
      .finally(() => {
        this.trying = false;
      });
  }

  private async take(end: number, avoid: ReadonlySet<number>): Promise<Held> {
    for (;;) {
      this.tryAgain();
      const held = this.idle
        .filter(({ server }) => !avoid.has(server))
        .reduce<Held | undefined>((a, b) => (a && a.server <= b.server ? a : b), undefined);
      if (held) {
        this.idle.splice(this.idle.indexOf(held), 1);
        return held;
      }
      if (this.open < this.connections) {
        const i = this.servers.choose(avoid);
        if (i < 0) throw this.allFailed();
        return this.connectForQuestion(i);
      }
      if (this.waiting.length >= WAITING)
        throw new Unavailable("unable to query the database: too many questions");
      await this.wait(end);
    }
  }

  /** Settles when a connection may be free. */
  private wait(end: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(wake), 1);
        reject(new Unavailable("unable to query the database: every connection is busy"));
      }, end - this.now());
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting.push(wake);
    });
  }

  private answered(held: Held): void {
    held.used = true;
    this.servers.answered(held.server);
    this.release(held);
  }

  /** After a connection broke or timed out. */
  private broken(held: Held, asked: number, avoid: Set<number>): void {
    const isSilent = this.now() - asked > SILENCE_MS;
    if (isSilent) avoid.add(held.server);
    if (isSilent ? this.servers.isBlamed(held.server) : !held.used) this.fail(held.server, isSilent);
    // The other connections are probably broken as well.
    else if (!isSilent) this.dropIdle((one) => one === held.server);
    this.drop(held);
  }
}

/** The servers of the failover list, one by one. */
export function poolServers(sql: DatabaseAddress, qmailHome: string, mode: Mode = "resident"): PoolServer[] {
  if (sql.driver === "sqlite") {
    return [{ name: sql.db, open: () => openDatabase(sql, qmailHome, mode) }];
  }
  const timeout = shareOfSilence(sql.timeout, sql.servers.length);
  return sql.servers.map((server) => ({
    name: serverName(server),
    open: () => openDatabase({ ...sql, servers: [server], timeout }, qmailHome, mode),
  }));
}

function serverName(server: Server): string {
  if ("socket" in server) return server.socket;
  return server.port === undefined ? server.host : `${server.host}:${server.port}`;
}

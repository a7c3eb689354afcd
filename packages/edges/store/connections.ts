import { type Database, Unavailable } from "@qmail-mysql/database";
import { type Loss, type ServerState, type Servers, watchServers } from "@qmail-mysql/failover";

/** One server of the failover list, and how to connect to it. */
export interface PoolServer {
  readonly name: string;
  readonly open: () => Promise<Database>;
}

/** A connection that is in use for a question. */
export interface Connection {
  readonly database: Database;
  /** Its index in the list. */
  readonly server: number;
  /** It has answered a question. */
  used: boolean;
}

const WAITING = 2000; // questions that may wait for a connection

/** A few connections to the first available server of a list. Times are milliseconds. */
export class Connections {
  readonly servers: Servers;
  readonly waiting: (() => void)[] = [];
  private readonly list: readonly PoolServer[];
  private readonly most: number;
  private readonly now: () => number;
  private idle: Connection[] = [];
  private open = 0; // connections that are open, or being opened for a question
  private isRetrying = false;
  private isClosed = false;
  private failure = ""; // why the last connect did not succeed

  constructor(list: readonly PoolServer[], most: number, now: () => number) {
    this.list = list;
    this.most = most;
    this.now = now;
    const names = list.map(({ name }) => name);
    this.servers = watchServers(names, now);
  }

  /** A connection to a server that is not one of those to `avoid`; waits for it until `end`. Throws Unavailable. */
  async take(end: number, avoid: ReadonlySet<number>): Promise<Connection> {
    for (;;) {
      this.retry();
      const mayOpen = this.open < this.most;
      const connection = this.takeIdle(avoid) ?? (mayOpen ? await this.connectForQuestion(avoid) : undefined);
      if (connection) {
        this.state(connection.server).queries++;
        return connection;
      }
      if (this.waiting.length >= WAITING)
        throw new Unavailable("unable to query the database: too many questions");
      await this.wait(end);
    }
  }

  /** The server responded: the connection can be used again. */
  release(connection: Connection): void {
    connection.used = true;
    this.servers.answered(connection.server);
    this.keep(connection);
  }

  /** The connection broke or timed out, `elapsed` after the question. */
  lost(connection: Connection, elapsed: number): Loss {
    const loss = this.servers.connectionFailed(connection.server, elapsed, connection.used);
    if (loss.dropOthers) this.dropIdle((one) => one === connection.server);
    this.drop(connection);
    return loss;
  }

  close(): void {
    this.isClosed = true;
    this.dropIdle(() => true);
  }

  private state(i: number): ServerState {
    return this.servers.all[i] as ServerState;
  }

  private takeIdle(avoid: ReadonlySet<number>): Connection | undefined {
    const best = this.idle
      .filter(({ server }) => !avoid.has(server))
      .reduce<Connection | undefined>((a, b) => (a && a.server <= b.server ? a : b), undefined);
    if (best) this.idle.splice(this.idle.indexOf(best), 1);
    return best;
  }

  private async connectForQuestion(avoid: ReadonlySet<number>): Promise<Connection> {
    const i = this.servers.choose(avoid);
    if (i < 0) throw this.allFailed();
    this.open++;
    return this.connect(i).catch((error) => {
      this.freed();
      throw error;
    });
  }

  private allFailed(): Unavailable {
    const names = this.list.map(({ name }) => name).join(", ");
    return new Unavailable(
      this.list.length === 1 && this.failure !== ""
        ? this.failure
        : `unable to connect to the database at ${names}: no server is available`,
    );
  }

  private async connect(i: number): Promise<Connection> {
    const began = this.now();
    this.state(i).connections++;
    try {
      return { database: await (this.list[i] as PoolServer).open(), server: i, used: false };
    } catch (error) {
      this.state(i).connections--;
      if (error instanceof Error) this.failure = error.message;
      const { dropOthers } = this.servers.connectFailed(i, this.now() - began);
      if (dropOthers) this.dropIdle((one) => one === i);
      throw error;
    }
  }

  /** Retries a failed server; questions go to the others until it accepts a connection. */
  private retry(): void {
    const i = this.servers.due();
    if (this.isRetrying || i < 0) return;
    this.isRetrying = true;
    this.connect(i)
      .then(
        (connection) => {
          if (!this.servers.acceptedAgain(i)) return this.hangUp(connection);
          this.dropIdle((one) => one > i);
          this.open++;
          this.keep(connection);
        },
        () => {},
      )
      .finally(() => {
        this.isRetrying = false;
      });
  }

  private keep(connection: Connection): void {
    if (this.isClosed || !this.servers.isWorthKeeping(connection.server)) {
      this.drop(connection);
    } else {
      this.idle.push(connection);
      this.waiting.shift()?.();
    }
  }

  private dropIdle(which: (server: number) => boolean): void {
    const dropped = this.idle.filter(({ server }) => which(server));
    this.idle = this.idle.filter(({ server }) => !which(server));
    for (const connection of dropped) this.drop(connection);
  }

  private drop(connection: Connection): void {
    this.hangUp(connection);
    this.freed();
  }

  private hangUp({ server, database }: Connection): void {
    this.state(server).connections--;
    database.close().catch(() => {});
  }

  private freed(): void {
    this.open--;
    this.waiting.shift()?.();
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
}

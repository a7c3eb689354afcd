import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { fromText } from "@qmail-mysql/wire";
import mysql, {
  type Connection,
  type ConnectionOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2";
import { type Database, type Mode, Unavailable, type Value } from "./database.ts";
import { boundAnswers, newAnswer } from "./mysql-bounds.ts";
import { connectionOptions, serverName } from "./mysql-options.ts";
import { toBytes, toRow } from "./row.ts";
import { askBySchema, schemas } from "./schema.ts";
import { withSpellable } from "./spellable.ts";
import { statements } from "./statements.ts";

const GOODBYE = 250; // milliseconds to let COM_QUIT out: without it mysqld logs an aborted connection

/**
 * One connection to the first server of the list that takes it, and answers. Mode "read" is a program that asks
 * and ends: everything it asks, connecting included, is answered within config.timeout seconds or given up. Modes "write"
 * and "resident" have as long for each statement. Throws Trouble: Unavailable when another server may well answer.
 */
export async function openMysql(config: DatabaseAddress, mode: Mode): Promise<Database> {
  const end = performance.now() + config.timeout * 1000;
  let { connection, next } = await connect(config, 0, end, mode);
  let lost: Error | undefined;
  const waiting = new Set<(error: Error) => void>();
  const watch = (one: Connection) => {
    lost = undefined;
    one.on("error", (error: Error) => {
      if (one !== connection) return;
      lost = error;
      for (const onLost of waiting) onLost(error);
    });
  };
  watch(connection);

  let moving: Promise<void> | undefined;
  const move = async () => {
    connection.destroy();
    ({ connection, next } = await connect(config, next, end, mode));
    watch(connection);
  };

  /** Asks the servers after this one in the list, as long as it is the server that cannot answer. */
  const elsewhere = async <T>(start: () => Promise<T>): Promise<T> => {
    for (;;) {
      const asked = connection;
      try {
        return await start();
      } catch (error) {
        const isLast = next >= config.servers.length || performance.now() >= end;
        if (!(error instanceof Unavailable) || (isLast && connection === asked)) throw error;
        if (connection !== asked) continue; // another question has moved us
        moving ??= move().finally(() => {
          moving = undefined;
        });
        await moving;
      }
    }
  };

  const ask = <T>(
    verb: string,
    start: (done: (error: Error | null, result: T) => void, alive: () => void) => void,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(onLost);
      };
      const fail = (why: string, cause?: unknown) => {
        settle();
        const Kind = isUnavailable(cause) ? Unavailable : Trouble;
        reject(new Kind(`unable to ${verb} the database at ${name(connection)}: ${why}`, { cause }));
      };
      const timer = setTimeout(
        () => {
          connection.destroy();
          fail(`no answer within ${config.timeout} seconds`);
        },
        mode === "read" ? end - performance.now() : config.timeout * 1000,
      );
      // A lost connection is an event of its own, not always an answer to the statement.
      const onLost = (error: Error) => fail(driverReason(error));
      waiting.add(onLost);
      if (lost) return fail(driverReason(lost));
      newAnswer(connection);
      const done = (error: Error | null, result: T) => {
        if (error) return fail(driverReason(error), error);
        settle();
        resolve(result);
      };
      start(done, () => mode !== "read" && timer.refresh());
    });

  const query = async (statement: string, values: readonly Value[]) => {
    const rows = await ask<RowDataPacket[]>("query", (done) =>
      connection.execute(statement, [...values], done as never),
    );
    return rows.map(toRow);
  };

  const queryAny = (statement: string, values: readonly Value[]) => {
    const start = () => withSpellable(values, (spelt) => query(statement, spelt));
    return mode === "read" ? elsewhere(start) : start();
  };
  const database: Database = {
    ask: askBySchema(schemas.mysql, queryAny),
    query: queryAny,
    stream: async (statement, values, each) => {
      let thrown: unknown;
      await ask<void>("query", (done, alive) => {
        const request = connection.execute({ sql: statement, values: [...values], rowsAsArray: true });
        request.on("result", (row: unknown[]) => {
          if (thrown !== undefined) return;
          alive();
          newAnswer(connection); // of a whole table no more is kept than one row
          try {
            each(row.map(toBytes));
          } catch (error) {
            thrown = error;
            connection.destroy();
            done(null);
          }
        });
        request.on("error", (error: Error) => done(error));
        request.on("end", () => done(null));
      });
      if (thrown !== undefined) throw thrown;
    },
    version: async (tables) => {
      const [first = ""] = tables;
      const rows = await database.query(statements.tableTimes, [
        first,
        tables[1] ?? first,
        tables[2] ?? first,
      ]);
      const text = rows.map((row) => [row.name, row.created, row.updated].join(" ")).join("\n");
      return { text, settled: rows.every((row) => row.recent !== "1") };
    },
    change: async (statement, values) => {
      const result = await ask<ResultSetHeader>("change", (done) =>
        connection.execute(statement, [...values], done as never),
      );
      return result.affectedRows;
    },
    script: async (sql) => {
      for (const statement of sql.split(/;\s*$/m).filter((part) => part.trim() !== "")) {
        await ask("change", (done) => connection.query(statement, done as never));
      }
    },
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, GOODBYE);
        connection.end(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
  if (mode === "write") await database.script(statements.beginWriting);
  if (mode === "resident") {
    await elsewhere(() => stay(database, name(connection))).catch((error) => {
      connection.destroy();
      throw error;
    });
  }
  return database;
}

/** A Galera node without its cluster takes connections, and refuses questions. */
async function stay(database: Database, server: string): Promise<void> {
  await database.script(statements.beginStaying);
  const rows = await database.query(statements.clusterReady, []);
  const status = (name: string) => rows.find(({ variable_name }) => variable_name === name)?.value ?? "";
  if (status("wsrep_provider_name") === "" || status("wsrep_ready") !== "OFF") return;
  throw new Unavailable(
    `unable to use the database at ${server}: this node is not ready (wsrep_ready is OFF)`,
  );
}

interface Connected {
  readonly connection: Connection;
  /** The place in the list of the server after it. */
  readonly next: number;
}

/** To the first server that takes it, of those from place `from` of the list. */
async function connect(config: DatabaseAddress, from: number, end: number, mode: Mode): Promise<Connected> {
  const { servers } = config;
  const failures: string[] = [];
  for (let i = from; i < servers.length; i++) {
    const share = Math.max((end - performance.now()) / (servers.length - i), 1);
    const server = servers[i] as Server;
    try {
      const options = connectionOptions(config, server, share, mode);
      return { connection: await connectOnce(options, share), next: i + 1 };
    } catch (error) {
      if (error instanceof Trouble) throw error;
      failures.push(`${serverName(server)}: ${driverReason(error)}`);
    }
  }
  throw new Unavailable(`unable to connect to the database at ${failures.join("; ")}`);
}

function connectOnce(options: ConnectionOptions, ms: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = mysql.createConnection(options);
    boundAnswers(connection);
    // connectTimeout ends with the greeting; a server may also fall silent after it.
    const timer = setTimeout(() => giveUp(Object.assign(new Error(), { code: "ETIMEDOUT" })), ms);
    const giveUp = (error: Error) => {
      clearTimeout(timer);
      connection.destroy();
      reject(error);
    };
    connection.once("error", giveUp);
    connection.on("error", () => {}); // a second one, or one between two questions: the next question will see
    connection.once("connect", () => {
      clearTimeout(timer);
      connection.off("error", giveUp);
      resolve(connection);
    });
  });
}

function name({ config }: Connection): string {
  return config.socketPath ?? `${config.host}:${config.port}`;
}

/** Is it the server that cannot answer, rather than the statement that cannot be answered? */
function isUnavailable(cause: unknown): boolean {
  const { fatal, sqlState = "" } = (cause ?? {}) as { fatal?: boolean; sqlState?: string };
  // Class 08 is "connection exception"; a Galera node without its cluster says 08S01 to every statement.
  return fatal === true || sqlState === "" || sqlState.replace("#", "").startsWith("08");
}

/** The server's own words are text; ours are byte strings. */
function driverReason(error: unknown): string {
  return fromText(reason(error)) || "connection lost";
}

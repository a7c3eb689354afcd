import { type DatabaseAddress, type Server, serverName } from "@qmail-mysql/control";
import {
  askBySchema,
  type Database,
  type Mode,
  schemas,
  statements,
  toBytes,
  toRow,
  Unavailable,
  type Value,
  type Version,
} from "@qmail-mysql/database";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { fromText } from "@qmail-mysql/wire";
import mysql, {
  type Connection,
  type ConnectionOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2";
import { connectionOptions } from "./options.ts";
import { beginResult, limitResults } from "./result-limits.ts";
import { withSpellable } from "./spellable.ts";

const QUIT_TIMEOUT = 250; // milliseconds to send COM_QUIT: without it mysqld logs an aborted connection

/** The server did not accept a connection; `at` contains the server and the reason. */
export class Unreachable extends Unavailable {
  readonly at: string;
  constructor(at: string) {
    super(`unable to connect to the database at ${at}`);
    this.at = at;
  }
}

/** Time limits in milliseconds. */
export interface Limits {
  readonly connectMs: number;
  /** Time of performance.now() at which all questions end; if undefined each statement has config.timeout. */
  readonly end: number | undefined;
}

/**
 * Connects to one server. Throws Trouble: Unavailable if another server may succeed, its subclass Unreachable if this
 * one does not accept the connection.
 */
export async function openMysql(
  config: DatabaseAddress,
  server: Server,
  mode: Mode,
  limits: Limits,
): Promise<Database> {
  const connection = await connect(config, server, mode, limits.connectMs);
  const run = statementRunner(connection, serverName(server), config.timeout, limits.end);
  const query = (statement: string, values: readonly Value[]) =>
    withSpellable(values, async (spelt) => {
      const rows = await run<RowDataPacket[]>("query", (done) =>
        connection.execute(statement, [...spelt], done as never),
      );
      return rows.map(toRow);
    });
  const database: Database = {
    ask: askBySchema(schemas.mysql, query),
    query,
    stream: streamOver(connection, run),
    version: (tables) => versionOf(query, tables),
    change: async (statement, values) => {
      const result = await run<ResultSetHeader>("change", (done) =>
        connection.execute(statement, [...values], done as never),
      );
      return result.affectedRows;
    },
    script: async (sql) => {
      for (const statement of sql.split(/;\s*$/m).filter((part) => part.trim() !== "")) {
        await run("change", (done) => connection.query(statement, done as never));
      }
    },
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, QUIT_TIMEOUT);
        connection.end(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
  try {
    if (mode === "write") await database.script(statements.beginWriting);
    if (mode === "resident") await stay(database, serverName(server));
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return database;
}

/** Starts a statement; `alive` is called for each part of the result. */
type Start<T> = (done: (error: Error | null, result: T) => void, alive: () => void) => void;
type Run = <T>(verb: string, start: Start<T>) => Promise<T>;

/** Runs statements on a connection, each with its time limit. Throws Trouble. */
function statementRunner(
  connection: Connection,
  name: string,
  seconds: number,
  end: number | undefined,
): Run {
  let lost: Error | undefined;
  const waiting = new Set<(error: Error) => void>();
  connection.on("error", (error: Error) => {
    lost = error;
    for (const onLost of waiting) onLost(error);
  });
  return (verb, start) =>
    new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(onLost);
      };
      const fail = (why: string, cause?: unknown) => {
        settle();
        const Kind = isUnavailable(cause) ? Unavailable : Trouble;
        reject(new Kind(`unable to ${verb} the database at ${name}: ${why}`, { cause }));
      };
      const timer = setTimeout(
        () => {
          connection.destroy();
          fail(`no answer within ${seconds} seconds`);
        },
        end === undefined ? seconds * 1000 : end - performance.now(),
      );
      // A lost connection is a separate event, which does not always end the statement.
      const onLost = (error: Error) => fail(driverReason(error));
      waiting.add(onLost);
      if (lost) return fail(driverReason(lost));
      beginResult(connection);
      start(
        (error, result) => {
          if (error) return fail(driverReason(error), error);
          settle();
          resolve(result);
        },
        () => end === undefined && timer.refresh(),
      );
    });
}

function streamOver(connection: Connection, run: Run): Database["stream"] {
  return async (statement, values, each) => {
    let thrown: unknown;
    await run<void>("query", (done, alive) => {
      const request = connection.execute({ sql: statement, values: [...values], rowsAsArray: true });
      request.on("result", (row: unknown[]) => {
        if (thrown !== undefined) return;
        alive();
        beginResult(connection); // only one row at a time is stored
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
  };
}

async function versionOf(query: Database["query"], tables: readonly string[]): Promise<Version> {
  const [first = ""] = tables;
  const rows = await query(statements.tableTimes, [first, tables[1] ?? first, tables[2] ?? first]);
  const text = rows.map((row) => [row.name, row.created, row.updated].join(" ")).join("\n");
  return { text, settled: rows.every((row) => row.recent !== "1") };
}

// wsrep_local_state of Galera: nodes whose rows are as new as those of the cluster
const DONOR = "2";
const SYNCED = "4";

/** A Galera node that lost its cluster accepts connections, but refuses statements; one that joins it has old rows. */
async function stay(database: Database, server: string): Promise<void> {
  await database.script(statements.beginStaying);
  const rows = await database.query(statements.clusterReady, []);
  const status = (name: string) => rows.find(({ variable_name }) => variable_name === name)?.value ?? "";
  const [ready, state] = [status("wsrep_ready"), status("wsrep_local_state")];
  if (status("wsrep_provider_name") === "") return;
  if (ready !== "OFF" && [DONOR, SYNCED, ""].includes(state)) return;
  throw new Unavailable(
    `unable to use the database at ${server}: this node is not ready (wsrep_ready ${ready}, wsrep_local_state ${state})`,
  );
}

async function connect(config: DatabaseAddress, server: Server, mode: Mode, ms: number): Promise<Connection> {
  try {
    return await connectOnce(connectionOptions(config, server, ms, mode), ms);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Unreachable(`${serverName(server)}: ${driverReason(error)}`);
  }
}

function connectOnce(options: ConnectionOptions, ms: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = mysql.createConnection(options);
    limitResults(connection);
    // connectTimeout ends with the greeting, but a server may also stop responding after it.
    const timer = setTimeout(() => giveUp(Object.assign(new Error(), { code: "ETIMEDOUT" })), ms);
    const giveUp = (error: Error) => {
      clearTimeout(timer);
      connection.destroy();
      reject(error);
    };
    connection.once("error", giveUp);
    connection.on("error", () => {}); // a second error, or one between two statements: the next statement fails
    connection.once("connect", () => {
      clearTimeout(timer);
      connection.off("error", giveUp);
      resolve(connection);
    });
  });
}

/** Is the server the cause, rather than the statement? */
function isUnavailable(cause: unknown): boolean {
  const { fatal, sqlState = "" } = (cause ?? {}) as { fatal?: boolean; sqlState?: string };
  // Class 08 is "connection exception"; a Galera node that lost its cluster returns 08S01 for every statement.
  return fatal === true || sqlState === "" || sqlState.replace("#", "").startsWith("08");
}

/** The reason as a byte string; the message of a server is text. */
function driverReason(error: unknown): string {
  return fromText(reason(error)) || "connection lost";
}

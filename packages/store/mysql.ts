import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import { nodeFs, reason, Trouble } from "@qmail-mysql/unix";
import { fromText } from "@qmail-mysql/wire";
import mysql, {
  type Connection,
  type ConnectionOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2";
import { type Database, type Mode, Unavailable, type Value } from "./database.ts";
import { hasLightStream, LightStream, type Target } from "./light-stream.ts";
import { toBytes, toRow } from "./row.ts";
import { withSpellable } from "./spellable.ts";
import { statements } from "./statements.ts";

// Where the C library, and so every "server localhost" of old, looks for the local server.
const SOCKETS = [
  "/run/mysqld/mysqld.sock",
  "/var/run/mysqld/mysqld.sock",
  "/var/lib/mysql/mysql.sock",
  "/tmp/mysql.sock",
];
const DEFAULT_PORT = 3306;
const GOODBYE = 250; // milliseconds to let COM_QUIT out: without it mysqld logs an aborted connection

// What the driver has to say besides its errors would be a second line, and not of ours.
console.error = console.warn = () => {};

/**
 * One connection to the first server of the list that takes it. Mode "read" is a program that asks and ends:
 * everything it asks, connecting included, is answered within config.timeout seconds or given up. Modes "write"
 * and "resident" have as long for each statement. Throws Trouble: Unavailable when another server may well answer.
 */
export async function openMysql(config: DatabaseAddress, mode: Mode): Promise<Database> {
  const end = performance.now() + config.timeout * 1000;
  const connection = await connect(config, end, mode);
  let lost: Error | undefined;
  const waiting = new Set<(error: Error) => void>();
  connection.on("error", (error: Error) => {
    lost = error;
    for (const onLost of waiting) onLost(error);
  });

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

  const database: Database = {
    query: (statement, values) => withSpellable(values, (spelt) => query(statement, spelt)),
    stream: async (statement, values, each) => {
      let thrown: unknown;
      await ask<void>("query", (done, alive) => {
        const request = connection.execute({ sql: statement, values: [...values], rowsAsArray: true });
        request.on("result", (row: unknown[]) => {
          if (thrown !== undefined) return;
          alive();
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
  if (mode === "resident") await stay(database, name(connection));
  return database;
}

/** A Galera node without its cluster takes connections, and refuses questions. Other servers know no such status. */
async function stay(database: Database, server: string): Promise<void> {
  await database.script(statements.beginStaying);
  const [ready] = await database.query(statements.clusterReady, []);
  if (ready?.value !== "OFF") return;
  await database.close();
  throw new Unavailable(
    `unable to use the database at ${server}: this node is not ready (wsrep_ready is OFF)`,
  );
}

async function connect(config: DatabaseAddress, end: number, mode: Mode): Promise<Connection> {
  const failures: string[] = [];
  for (const [i, server] of config.servers.entries()) {
    const share = Math.max((end - performance.now()) / (config.servers.length - i), 1);
    const options = connectionOptions(config, server, share, mode);
    try {
      return await connectOnce(options, share);
    } catch (error) {
      failures.push(`${serverName(options)}: ${driverReason(error)}`);
    }
  }
  throw new Unavailable(`unable to connect to the database at ${failures.join("; ")}`);
}

function connectOnce(options: ConnectionOptions, ms: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = mysql.createConnection(options);
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

function connectionOptions(
  config: DatabaseAddress,
  server: Server,
  connectTimeout: number,
  mode: Mode,
): ConnectionOptions {
  const base: ConnectionOptions = {
    user: config.login ?? "",
    password: config.password ?? "",
    database: config.db,
    connectTimeout,
    charset: "utf8mb4",
    supportBigNumbers: true,
    disableEval: true, // a generated row parser costs 1.4 ms, which a single row never earns back
    flags: ["-LOCAL_FILES"], // no server may ask for a file of ours
  };
  const socketPath = "socket" in server ? server.socket : localSocket(server);
  if (socketPath !== undefined) return { ...base, socketPath, ...lightly({ unix: socketPath }, mode) };
  const { host: given, port = DEFAULT_PORT } = server as Exclude<Server, { socket: string }>;
  const host = given.toLowerCase() === "localhost" ? "127.0.0.1" : given;
  if (config.tls) return { ...base, host, port, ssl: tlsOptions(config.tls) };
  return { ...base, host, port, ...lightly({ hostname: host, port }, mode) };
}

/** The socket that "localhost" stands for, if no port says otherwise and there is one. */
function localSocket(server: Exclude<Server, { socket: string }>): string | undefined {
  return server.port === undefined ? SOCKETS.find((path) => nodeFs().existsSync(path)) : undefined;
}

/** The light stream for who only reads. */
function lightly(target: Target, mode: Mode): ConnectionOptions {
  return mode !== "write" && hasLightStream() ? { stream: () => new LightStream(target) } : {};
}

function tlsOptions(
  tls: NonNullable<DatabaseAddress["tls"]>,
): NonNullable<Exclude<ConnectionOptions["ssl"], string>> {
  if ("verify" in tls) return { verifyIdentity: true };
  try {
    return { ca: nodeFs().readFileSync(tls.caFile), verifyIdentity: true };
  } catch (error) {
    throw new Trouble(`unable to read ${tls.caFile}: ${reason(error)}`);
  }
}

function serverName(options: ConnectionOptions): string {
  return options.socketPath ?? `${options.host}:${options.port}`;
}

function name(connection: Connection): string {
  return serverName(connection.config as unknown as ConnectionOptions);
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

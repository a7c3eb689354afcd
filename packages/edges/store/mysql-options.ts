import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import { nodeFs } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import type { ConnectionOptions } from "mysql2";
import type { Mode } from "./database.ts";
import { hasLightStream, LightStream, type Target } from "./light-stream.ts";

// Where the C library, and so every "server localhost" of old, looks for the local server.
const SOCKETS = [
  "/run/mysqld/mysqld.sock",
  "/var/run/mysqld/mysqld.sock",
  "/var/lib/mysql/mysql.sock",
  "/tmp/mysql.sock",
];
const DEFAULT_PORT = 3306;

/** How to connect to a server of the list. */
export function connectionOptions(
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

export function serverName(options: ConnectionOptions): string {
  return options.socketPath ?? `${options.host}:${options.port}`;
}

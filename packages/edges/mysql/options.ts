import type { DatabaseAddress, Server } from "@qmail-mysql/control";
import type { Mode } from "@qmail-mysql/database";
import { isBun, nodeFs } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import mysql, { type AuthPlugin, type ConnectionOptions } from "mysql2";
import { LightStream } from "./light-stream.ts";
import { checkPeer, checkSocket } from "./server-account.ts";

// Where the C library, and so existing control files with "localhost", look for the local server; except /tmp, where
// anybody can create a socket.
const SOCKETS = ["/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock"];
const DEFAULT_PORT = 3306;

/** The options to connect to a server. Throws if it may not be trusted; Trouble if that applies to all servers. */
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
    disableEval: true, // generating a row parser takes 1.4 ms, too much for a few rows
    flags: ["-LOCAL_FILES"], // a server must not request a local file
  };
  if ("socket" in server) return { ...base, ...overSocket(server.socket, config) };
  const { host, port } = server;
  if (isLocal(server)) return { ...base, ...overSocket(localSocket(), config) };
  const tcp = { ...base, host, port: port ?? DEFAULT_PORT };
  if (config.tls) return { ...tcp, ssl: tlsOptions(config.tls) };
  const light = mode !== "write" && isBun();
  const target = { hostname: host, port: tcp.port };
  return { ...tcp, authPlugins: IN_CLEAR, ...(light && { stream: () => new LightStream(target, () => {}) }) };
}

/** As in the C library, "localhost" is the local server's socket. It is never TCP, where any account can listen. */
function isLocal({ host, port }: Exclude<Server, { socket: string }>): boolean {
  return host.toLowerCase() === "localhost" && port === undefined;
}

function localSocket(): string {
  const path = SOCKETS.find((path) => nodeFs().existsSync(path));
  if (path !== undefined) return path;
  throw new Error(
    `no server has a socket at ${SOCKETS.join(", ")}; fix: start it, or in the line "server" its socket's path, or 127.0.0.1 for TCP`,
  );
}

function overSocket(path: string, { serverAccounts }: DatabaseAddress): ConnectionOptions {
  checkSocket(path, serverAccounts);
  const stream = () => new LightStream({ unix: path }, (fd) => checkPeer(fd, serverAccounts));
  return { socketPath: path, ...(isBun() && { stream }) };
}

// The password itself, in the clear or encrypted with a key that the server sends, is sent only to authenticated
// servers: over TLS or a unix socket. Over plain TCP only a salted hash is sent.
const refused = () => {
  const why = "it asks for the password itself, which needs tls or a unix socket: sqlserver(5)";
  return Promise.reject(Object.assign(new Error(why), { fatal: true }));
};
const FULL_AUTHENTICATION = 4; // caching_sha2_password: perform_full_authentication
const IN_CLEAR: Record<string, AuthPlugin> = {
  caching_sha2_password: (context) => {
    const answer = mysql.authPlugins.caching_sha2_password({})(context);
    return (data) => (data.length === 1 && data[0] === FULL_AUTHENTICATION ? refused() : answer(data));
  },
  sha256_password: () => refused,
  mysql_clear_password: () => refused,
};

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

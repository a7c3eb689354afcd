import { closeSync, constants, openSync } from "node:fs";
import type { SqlServer } from "@qmail-mysql/control";
import { sqldPath } from "@qmail-mysql/sqld-client";
import { sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { errno, reason } from "@qmail-mysql/trouble";

/**
 * Returns why a program with the effective ids cannot use the database: the socket of qmail-sqld, or
 * control/sqlserver and an SQLite file or a server's socket, cannot be opened. Undefined if it can.
 */
export function whyUnaskable(home: string, config: SqlServer): string | undefined {
  const sqld = sqldPath(home);
  if (sqld !== undefined) return whyClosed(sqld, constants.O_WRONLY);
  const file = whyClosed(sqlServerFile(home), constants.O_RDONLY);
  if (file !== undefined) return file;
  if (config.driver === "sqlite") return whyClosed(sqliteFile(config, home), constants.O_RDONLY);
  const sockets = config.servers.flatMap((server) => ("socket" in server ? [server.socket] : []));
  if (sockets.length < config.servers.length) return undefined; // a server is reached through TCP
  return sockets.map((socket) => whyClosed(socket, constants.O_WRONLY)).find((why) => why !== undefined);
}

/** Returns why `path` cannot be opened. ENXIO is success: opening a socket fails with it if access is permitted. */
function whyClosed(path: string, flags: number): string | undefined {
  try {
    closeSync(openSync(path, flags | constants.O_NONBLOCK));
    return undefined;
  } catch (error) {
    return errno(error) === "ENXIO" ? undefined : `unable to open ${path}: ${reason(error)}`;
  }
}

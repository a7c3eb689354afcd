import { closeSync, constants, openSync } from "node:fs";
import type { SqlServer } from "@qmail-mysql/control";
import { sqldPath } from "@qmail-mysql/sqld-client";
import { sqliteFile, sqlServerFile } from "@qmail-mysql/store";
import { errno, reason } from "@qmail-mysql/trouble";

/**
 * Why a program with our effective ids could not ask the database: the socket of qmail-sqld, or
 * control/sqlserver and an SQLite file or a server's socket, cannot be opened. Undefined when it could.
 */
export function whyUnaskable(home: string, config: SqlServer): string | undefined {
  const sqld = sqldPath(home);
  if (sqld !== undefined) return whyClosed(sqld, constants.O_WRONLY);
  const file = whyClosed(sqlServerFile(home), constants.O_RDONLY);
  if (file !== undefined) return file;
  if (config.driver === "sqlite") return whyClosed(sqliteFile(config, home), constants.O_RDONLY);
  const sockets = config.servers.flatMap((server) => ("socket" in server ? [server.socket] : []));
  if (sockets.length < config.servers.length) return undefined; // a host is left to try
  return sockets.map((socket) => whyClosed(socket, constants.O_WRONLY)).find((why) => why !== undefined);
}

/** A socket cannot be opened, but rights come first. */
function whyClosed(path: string, flags: number): string | undefined {
  try {
    closeSync(openSync(path, flags | constants.O_NONBLOCK));
    return undefined;
  } catch (error) {
    return errno(error) === "ENXIO" ? undefined : `unable to open ${path}: ${reason(error)}`;
  }
}

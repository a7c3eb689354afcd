import { type DatabaseAddress, serverName } from "@qmail-mysql/control";
import type { Mode } from "@qmail-mysql/database";
import { shareOfSilence } from "@qmail-mysql/failover";
import type { PoolServer } from "./connections.ts";
import { openDatabase } from "./open.ts";

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

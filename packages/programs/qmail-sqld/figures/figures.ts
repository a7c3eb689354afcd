import type { Pool } from "@qmail-mysql/store";
import type { CacheCounts } from "../cache.ts";
import type { LoginCounts } from "../logins/attempts.ts";
import type { Figure } from "./stats.ts";

/** Where the statistics of a service are read. */
export interface Figured {
  readonly cache: { readonly counts: CacheCounts; entries(): number; bytes(): number };
  readonly hashers: { waiting(): number };
  readonly pool: Pick<Pool, "servers" | "waiting">;
  readonly troubles: { count(): number };
  readonly counts: LoginCounts;
}

export function figure(name: string, help: string, kind: Figure["kind"], value: number): Figure {
  return { name, help, kind, values: [{ labels: {}, value }] };
}

export function serviceFigures({ cache, hashers, pool, troubles, counts: logins }: Figured): Figure[] {
  const { counts } = cache;
  const perServer = (
    name: string,
    help: string,
    kind: Figure["kind"],
    value: (server: Pool["servers"][number]) => number,
  ): Figure => ({
    name,
    help,
    kind,
    values: pool.servers.map((server) => ({ labels: { server: server.name }, value: value(server) })),
  });
  return [
    figure("troubles", "questions that failed, and rows that are invalid", "counter", troubles.count()),
    figure("logins_accepted", "logins accepted", "counter", logins.accepted),
    figure("logins_refused", "logins refused", "counter", logins.refused),
    figure("logins_delayed", "logins not judged after too many failures", "counter", logins.delayed),
    figure("cache_hits", "answers from the cache", "counter", counts.hits),
    figure("cache_misses", "questions asked of the database", "counter", counts.misses),
    figure("cache_joined", "questions that waited for the same one", "counter", counts.joined),
    figure("cache_stale", "old answers given while the database was away", "counter", counts.stale),
    figure("cache_entries", "answers kept", "gauge", cache.entries()),
    figure("cache_bytes", "their size, about", "gauge", cache.bytes()),
    figure("logins_waiting", "logins that wait for a process to hash", "gauge", hashers.waiting()),
    figure("pool_waiting", "questions that wait for a connection", "gauge", pool.waiting()),
    perServer("server_connections", "connections to it", "gauge", (server) => server.connections),
    perServer("server_queries", "statements sent to it", "counter", (server) => server.queries),
    perServer("server_failures", "times it did not answer", "counter", (server) => server.failures),
    perServer("server_left_alone", "1 while it is not tried", "gauge", ({ until }) => (until > 0 ? 1 : 0)),
  ];
}

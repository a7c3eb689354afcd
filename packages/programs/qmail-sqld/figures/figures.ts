import type { Pool } from "@qmail-mysql/store";
import type { CacheCounts } from "../cache.ts";
import type { LoginCounts } from "../logins/counts.ts";
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
    figure("troubles", "failed questions and invalid rows", "counter", troubles.count()),
    ...logins.figures(),
    figure("cache_hits", "responses from the cache", "counter", counts.hits),
    figure("cache_misses", "questions sent to the database", "counter", counts.misses),
    figure(
      "cache_joined",
      "questions that used the result of an identical concurrent one",
      "counter",
      counts.joined,
    ),
    figure(
      "cache_stale",
      "expired responses used while the database was unavailable",
      "counter",
      counts.stale,
    ),
    figure("cache_entries", "responses in the cache", "gauge", cache.entries()),
    figure("cache_bytes", "approximate bytes in the cache", "gauge", cache.bytes()),
    figure("logins_waiting", "logins that wait for a process to compute a hash", "gauge", hashers.waiting()),
    figure("pool_waiting", "questions that wait for a connection", "gauge", pool.waiting()),
    perServer(
      "server_connections",
      "open connections to the server",
      "gauge",
      (server) => server.connections,
    ),
    perServer("server_queries", "statements sent to the server", "counter", (server) => server.queries),
    perServer("server_failures", "failures of the server", "counter", (server) => server.failures),
    perServer("server_left_alone", "1 while the server is not used after a failure", "gauge", ({ until }) =>
      until > 0 ? 1 : 0,
    ),
  ];
}

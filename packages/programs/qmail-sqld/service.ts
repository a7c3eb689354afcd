import { ANSWER_LIMIT, loginSeconds, openPool, poolServers, type Row } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { openAllowance } from "./allowance.ts";
import { type Answer, answerer, found, NONE, type Peer, type Special, trouble } from "./answer.ts";
import { openCache } from "./cache.ts";
import type { Config } from "./config.ts";
import type { Answers } from "./edge/connection.ts";
import { openHashers } from "./edge/hashers.ts";
import { authenticateAnswer, cachedStore } from "./login.ts";
import { relayQuestions } from "./relay.ts";
import type { Figure, Latencies } from "./stats.ts";

/** Answers by one reading of control/. Another reading makes another one. */
export interface Service {
  readonly answers: Answers;
  readonly figures: () => Figure[];
  close(): Promise<void>;
}

const WRITERS = 2; // connections for logins to record: however slow that is, no look-up waits for it
const MEGABYTE = 1 << 20;
const SECOND = 1000;
const now = () => performance.now();

export function openService(
  config: Config,
  qmailHome: string,
  latencies: Latencies,
  specials: Readonly<Record<string, Special>>,
): Service {
  const { sql, settings } = config;
  const connections = sql.driver === "sqlite" ? 1 : settings.connections;
  const pool = openPool(poolServers(sql, qmailHome), connections, sql.timeout * SECOND, now);
  const keep = {
    ttl: settings.ttl * SECOND,
    negativeTtl: settings.negativeTtl * SECOND,
    stale: settings.stale * SECOND,
  };
  const cache = openCache<Answer>(
    settings.cache * MEGABYTE,
    (answer) => answer === NONE,
    (answer) => answer.length,
    now,
  );
  const loginLimit = loginSeconds(sql.timeout) * SECOND;
  const hashers = openHashers(settings.hashers, settings.hashQueue, sql.timeout * SECOND, loginLimit);
  const logins = {
    cache: openCache<Row[]>(
      settings.cache * MEGABYTE,
      (rows) => rows.length === 0,
      (rows) => JSON.stringify(rows).length,
      now,
    ),
    keep: {
      ttl: settings.loginTtl * SECOND,
      negativeTtl: settings.negativeTtl * SECOND,
      stale: settings.loginStale * SECOND,
    },
    query: pool.query,
    funkyQueries: sql.funkyQueries,
    hash: hashers.verify,
  };
  const writers = openPool(
    poolServers(sql, qmailHome, "write"),
    sql.driver === "sqlite" ? 1 : WRITERS,
    sql.timeout * SECOND,
    now,
  );
  const all: Record<string, Special> = {
    settings: () => found(config.lines),
    authenticate: (fields, peer) => authenticateAnswer(logins, fields, ownerOf(peer)),
    ...relaySpecials(),
    ...specials,
  };
  const answer = answerer(all, cache, keep, pool.query, ANSWER_LIMIT);

  function relaySpecials(): Record<"mayRelay" | "recordLogin", Special> {
    const { relay } = config;
    if ("wrong" in relay) {
      const answer = () => trouble(relay.wrong);
      return { mayRelay: answer, recordLogin: answer };
    }
    return {
      ...relayQuestions({
        relay,
        driver: sql.driver,
        database: { query: pool.query, change: writers.change },
        findMailboxes: cachedStore(logins, logins.keep, () => {}).findMailboxes,
        recorders: settings.recorders,
        allowance: openAllowance(settings.relayAddresses, relay.time * SECOND, now),
        ownUid: process.getuid?.() ?? 0,
        now,
      }),
    };
  }

  return {
    answers(payload, peer) {
      const began = now();
      const question = payload.slice(0, payload.indexOf("\0"));
      const note = () => latencies.note(question, now() - began);
      const limit = question === "authenticate" ? loginLimit : sql.timeout * SECOND;
      const got = within(answer(payload, peer), limit);
      if (typeof got === "string") note();
      else got.finally(note).catch(() => {});
      return got;
    },
    figures: () => {
      const one = (name: string, help: string, kind: Figure["kind"], value: number): Figure => ({
        name,
        help,
        kind,
        values: [{ labels: {}, value }],
      });
      const perServer = (
        name: string,
        help: string,
        kind: Figure["kind"],
        value: (s: (typeof pool.servers)[number]) => number,
      ): Figure => ({
        name,
        help,
        kind,
        values: pool.servers.map((s) => ({ labels: { server: s.name }, value: value(s) })),
      });
      return [
        one("cache_hits", "answers from the cache", "counter", cache.counts.hits),
        one("cache_misses", "questions asked of the database", "counter", cache.counts.misses),
        one("cache_joined", "questions that waited for the same one", "counter", cache.counts.joined),
        one("cache_stale", "old answers given while the database was away", "counter", cache.counts.stale),
        one("cache_entries", "answers kept", "gauge", cache.entries()),
        one("cache_bytes", "their size, about", "gauge", cache.bytes()),
        one("logins_waiting", "logins that wait for a process to hash", "gauge", hashers.waiting()),
        one("pool_waiting", "questions that wait for a connection", "gauge", pool.waiting()),
        perServer("server_connections", "connections to it", "gauge", (s) => s.connections),
        perServer("server_queries", "statements sent to it", "counter", (s) => s.queries),
        perServer("server_failures", "times it did not answer", "counter", (s) => s.failures),
        perServer("server_left_alone", "1 while it is not tried", "gauge", (s) => (s.until > 0 ? 1 : 0)),
      ];
    },
    close: () => {
      hashers.close();
      return Promise.all([pool.close(), writers.close()]).then(() => {});
    },
  };
}

/** Who shares with whom: clients of one uid, and those whose uid cannot be told. */
function ownerOf(peer: Peer): string {
  try {
    return `${peer()}`;
  } catch {
    return "";
  }
}

/** A client is never left waiting, whatever becomes of its question. */
function within(answer: Answer | Promise<Answer>, ms: number): Answer | Promise<Answer> {
  if (typeof answer === "string") return answer;
  let timer: NodeJS.Timeout;
  const late = new Promise<Answer>((_, reject) => {
    timer = setTimeout(() => reject(new Trouble("late")), ms + SECOND / 2);
  });
  return Promise.race([answer, late])
    .catch((error) => {
      if (error instanceof Trouble) return `Tunable to answer: no answer within ${ms / SECOND} seconds`;
      throw error;
    })
    .finally(() => clearTimeout(timer));
}

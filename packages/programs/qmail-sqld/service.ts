import type { Ask, Row } from "@qmail-mysql/database";
import type { LoginDelays } from "@qmail-mysql/fairness";
import { ANSWER_LIMIT, loginSeconds, PROTOCOLS } from "@qmail-mysql/sqld-client";
import { openPool, type Pool, poolServers } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { openAllowance } from "./allowance.ts";
import { type Answer, answerer, found, NONE, type Special, trouble } from "./answer.ts";
import { openCache } from "./cache.ts";
import type { Config } from "./config.ts";
import type { Answers } from "./edge/connection.ts";
import { type Hashers, openHashers } from "./edge/hashers.ts";
import { serviceFigures } from "./figures/figures.ts";
import { countQuestion, type SentCounters } from "./figures/sent.ts";
import type { Figure, Latencies } from "./figures/stats.ts";
import { attemptQuestions } from "./logins/attempts.ts";
import type { LoginCounts } from "./logins/counts.ts";
import { cachedStore, judgeLogin, type LoginWorld } from "./logins/login.ts";
import { loginLine } from "./logins/login-line.ts";
import { openRecipients } from "./recipients/open.ts";
import { isRefusal } from "./recipients/question.ts";
import { relayQuestions } from "./relay.ts";
import type { openTroubles } from "./troubles.ts";
import { openWatch, type Watch } from "./watch.ts";

/** Answers questions with one configuration. SIGHUP reads control/ again and opens a new service. */
export interface Service {
  readonly answers: Answers;
  readonly figures: () => Figure[];
  close(): Promise<void>;
}

/** What is kept when control/ is read again. */
export interface Lasting {
  readonly latencies: Latencies;
  readonly specials: Readonly<Record<string, Special>>;
  readonly troubles: ReturnType<typeof openTroubles>;
  readonly delays: LoginDelays;
  readonly counts: LoginCounts;
  readonly sent: SentCounters;
  readonly say: (line: string) => void;
}

const WRITERS = 2; // separate connections to record logins, so that a slow write does not delay lookups
const MEGABYTE = 1 << 20;
const SECOND = 1000;
const now = () => performance.now();

export function openService(config: Config, qmailHome: string, lasting: Lasting): Service {
  const { sql, settings } = config;
  const watch = openWatch(lasting.troubles, lasting.say);
  const { pool, writers } = openPools(config, qmailHome, watch);
  const ask = watch.ask(pool.ask);
  const cache = openCache<Answer>(
    settings.cache * MEGABYTE,
    (answer) => answer === NONE || isRefusal(answer),
    (answer) => answer.length,
    now,
  );
  const keep = {
    ttl: settings.ttl * SECOND,
    negativeTtl: settings.negativeTtl * SECOND,
    stale: settings.stale * SECOND,
  };
  const loginLimit = loginSeconds(sql.timeout) * SECOND;
  // A verdict is cached and so are its rows: together they are not older than a row may be.
  const half = { ...keep, ttl: keep.ttl / 2, negativeTtl: keep.negativeTtl / 2 };
  const hashers = openHashers(settings.hashers, settings.hashQueue, sql.timeout * SECOND, loginLimit);
  const logins = openLogins(config, ask, hashers);
  const lookups = answerer({
    specials: {},
    cache,
    keep: { ...half, stale: 0 },
    ask,
    watch,
    funkyQueries: sql.funkyQueries,
    limit: ANSWER_LIMIT,
  });
  const specials: Record<string, Special> = {
    settings: () => found([...config.lines, ...Object.values(PROTOCOLS)]),
    ...attemptQuestions({
      judge: (credentials, requester) => judgeLogin(logins, credentials, requester),
      delays: lasting.delays,
      counts: lasting.counts,
      isBelieved: (uid) => config.callers.has(uid),
      isShared: (ip) => config.shared.contains(ip, 0),
      log: (attempt) => {
        const isWanted = settings.loginLog === "all" || attempt.verdict !== "accepted";
        if (settings.loginLog !== "none" && isWanted) lasting.say(loginLine(attempt));
      },
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    }),
    count: countQuestion(lasting.sent, (uid) => config.callers.has(uid)),
    ...openRecipients(config, qmailHome, cache, half, lookups),
    ...relaySpecials(config, watch.query(pool.query, "the relay table"), writers, logins),
    ...lasting.specials,
  };
  const answer = answerer({
    specials,
    cache,
    keep,
    ask,
    watch,
    funkyQueries: sql.funkyQueries,
    limit: ANSWER_LIMIT,
  });
  return {
    answers(payload, peer) {
      const began = now();
      const question = payload.slice(0, payload.indexOf("\0"));
      const note = () => lasting.latencies.note(question, now() - began);
      const limit = question === "authenticate" ? loginLimit : sql.timeout * SECOND;
      const got = within(answer(payload, peer), limit, watch);
      if (typeof got === "string") note();
      else got.finally(note).catch(() => {});
      return got;
    },
    figures: () => serviceFigures({ cache, hashers, pool, ...lasting }),
    close: async () => {
      hashers.close();
      await Promise.all([pool.close(), writers.close()]);
    },
  };
}

function openPools(
  { sql, settings }: Config,
  qmailHome: string,
  watch: Watch,
): Record<"pool" | "writers", Pool> {
  const isOne = sql.driver === "sqlite";
  const servers = poolServers(sql, qmailHome);
  // With several servers the failure of one does not fail a question, but it is logged.
  const watched = servers.map(({ name, open }) => ({ name, open: watch.open(name, open) }));
  const timeout = sql.timeout * SECOND;
  return {
    pool: openPool(servers.length > 1 ? watched : servers, isOne ? 1 : settings.connections, timeout, now),
    writers: openPool(poolServers(sql, qmailHome, "write"), isOne ? 1 : WRITERS, timeout, now),
  };
}

function openLogins({ sql, settings }: Config, ask: Ask, hashers: Hashers): LoginWorld {
  return {
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
    ask,
    funkyQueries: sql.funkyQueries,
    hash: hashers.verify,
  };
}

function relaySpecials(
  { sql, settings, relay }: Config,
  query: Pool["query"],
  writers: Pool,
  logins: LoginWorld,
): Record<"mayRelay" | "recordLogin", Special> {
  if ("wrong" in relay) {
    const answer = () => trouble(relay.wrong);
    return { mayRelay: answer, recordLogin: answer };
  }
  const { mayRelay, recordLogin } = relayQuestions({
    relay,
    driver: sql.driver,
    database: { query, change: writers.change },
    findMailboxes: cachedStore(logins, logins.keep, () => {}).findMailboxes,
    recorders: settings.recorders,
    allowance: openAllowance(settings.relayAddresses, relay.time * SECOND, now),
    ownUid: process.getuid?.() ?? 0,
    now,
  });
  return { mayRelay, recordLogin };
}

/** Answers T after the time limit, and half a second, if there is no other answer. */
function within(answer: Answer | Promise<Answer>, ms: number, watch: Watch): Answer | Promise<Answer> {
  if (typeof answer === "string") return answer;
  let timer: NodeJS.Timeout;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => {
        const why = `unable to answer: no answer within ${ms / SECOND} seconds`;
        watch.answered(new Trouble(why));
        resolve(trouble(why));
      },
      ms + SECOND / 2,
    );
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

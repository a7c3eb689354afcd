import type { RelaySql } from "@qmail-mysql/control";
import { type Netblocks, netblocks, type RelayAnswers } from "@qmail-mysql/relay";
import { reason } from "@qmail-mysql/trouble";
import { type Ip, parseIp } from "@qmail-mysql/wire";
import { singleFlight } from "./single-flight.ts";

/** May this address relay? Never fails and never waits longer than control/sql's timeout. */
export interface RelaySource {
  mayRelay(ip: string): boolean | Promise<boolean>;
  /** Reads control/sql and the netblocks anew. */
  reload(): void;
}

/** The relay table, by whatever way to it there is. */
export type Table = RelayAnswers & { close(): Promise<void> };

export interface Edges {
  readonly read: () => RelaySql;
  /** `timeout` in seconds, when it is not control/sql's. */
  readonly open: (config: RelaySql, timeout?: number) => Promise<Table>;
  readonly warn: (line: string) => void;
}

const KEEP = 1; // seconds that a yes is good for: a login opens the relay at once, nothing closes it sooner
const MAX_KEPT = 10_000;
const PROBE = 250; // milliseconds between looks for a database that is away
const REFRESH = 10_000; // milliseconds between readings of the netblocks, which also keep the connection alive
const NETBLOCK_TIMEOUT = 5; // seconds; nobody waits for these
const SAY_AGAIN = 60; // seconds between lines about the same trouble

const now = () => performance.now() / 1000;
const NONE = netblocks([]);

/**
 * The relay table behind one connection. While the database does not answer in time, everyone is served
 * without it and at once; its return is looked for in the background. Netblocks are held in memory.
 */
export function relaySource(edges: Edges): RelaySource {
  let config: RelaySql | undefined;
  let store: Promise<Table> | undefined;
  let blocks: Netblocks = NONE;
  let isAway = false;
  let saidAt = -Infinity;
  let generation = 0;
  const kept = new Map<string, number>();
  const asked = singleFlight<string, boolean>((yes) => yes);

  const warn = (error: unknown) => {
    if (now() - saidAt < SAY_AGAIN) return;
    saidAt = now();
    edges.warn(`serving without the relay table: ${reason(error)}`);
  };
  const drop = () => {
    const old = store;
    store = undefined;
    old?.then((each) => each.close()).catch(() => {});
  };
  const connected = (sql: RelaySql) => {
    store ??= edges.open(sql);
    return store;
  };
  const away = (error: unknown) => {
    warn(error);
    drop();
    if (isAway) return;
    isAway = true;
    setTimeout(probe, PROBE, generation);
  };

  const ask = async (sql: RelaySql, ip: Ip, key: string): Promise<boolean> => {
    const left = await (await connected(sql)).left(ip);
    if (left <= 0) return false;
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(key, now() + Math.min(left, KEEP));
    return true;
  };
  const askOrServe = async (sql: RelaySql, ip: Ip, key: string): Promise<boolean> => {
    const { timeout } = sql;
    const begun = generation;
    const start = now();
    const fresh = store === undefined;
    try {
      try {
        // An open connection has the limit for itself; connecting and asking have it together.
        return await (fresh ? within(timeout, () => ask(sql, ip, key)) : ask(sql, ip, key));
      } catch (error) {
        const left = timeout - (now() - start);
        if (fresh || left < timeout / 2 || begun !== generation) throw error;
        drop(); // a connection that was idle may have been closed: a new one tells
        return await within(left, () => ask(sql, ip, key));
      }
    } catch (error) {
      if (begun === generation) away(error);
      return false;
    }
  };

  const readNetblocks = async (begun: number) => {
    if (!config || begun !== generation) return;
    const sql = config;
    const own = await edges.open(sql, NETBLOCK_TIMEOUT);
    try {
      const open = await own.blocks();
      if (begun === generation)
        blocks = netblocks(open.map((block) => ({ ...block, until: now() + block.left })));
    } finally {
      await own.close();
    }
  };
  const refresh = () => {
    if (!config) return reload();
    if (isAway) return;
    readNetblocks(generation).catch(warn);
    const sql = config;
    const ip = [0, 0, 0, 0];
    askOrServe(sql, ip, "").catch(warn);
  };
  const probe = async (begun: number) => {
    if (begun !== generation || !config) return;
    const sql = config;
    try {
      await within(sql.timeout, async () => (await connected(sql)).left([0, 0, 0, 0]));
      if (begun !== generation) return;
      isAway = false;
      edges.warn("the relay table is back");
      saidAt = -Infinity;
      readNetblocks(begun).catch(warn);
    } catch (error) {
      if (begun !== generation) return;
      warn(error);
      drop();
      setTimeout(probe, PROBE, begun);
    }
  };
  const reload = () => {
    try {
      config = edges.read();
    } catch (error) {
      warn(error); // the old one, if there is one, goes on
      return;
    }
    generation++;
    isAway = false;
    saidAt = -Infinity;
    kept.clear();
    drop();
    connected(config).catch(away);
    readNetblocks(generation).catch(warn);
  };

  reload();
  setInterval(refresh, REFRESH);
  return {
    reload,
    mayRelay(text) {
      const ip = parseIp(text);
      if (!config || !ip) return false;
      if (blocks.contains(ip, now())) return true;
      if ((kept.get(text) ?? 0) > now()) return true;
      if (isAway) return false;
      const sql = config;
      return asked(text, () => askOrServe(sql, ip, text));
    },
  };
}

function within<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${seconds} seconds`));
    const timer = setTimeout(late, seconds * 1000);
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

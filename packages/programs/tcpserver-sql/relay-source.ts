import type { RelaySql } from "@qmail-mysql/control";
import { watchAvailability } from "@qmail-mysql/failover";
import { type Netblocks, netblocks, type RelayAnswers } from "@qmail-mysql/relay";
import { reason } from "@qmail-mysql/trouble";
import { type Ip, parseIp } from "@qmail-mysql/wire";
import { singleFlight } from "./single-flight.ts";

/** May this address relay? Never fails and never waits longer than control/sql's timeout. */
export interface RelaySource {
  mayRelay(ip: string): boolean | Promise<boolean>;
  /** Reads control/sql and the netblocks again. */
  reload(): void;
}

/** The relay table, in a database or through qmail-sqld. */
export type Table = RelayAnswers & { close(): Promise<void> };

export interface Edges {
  readonly read: () => RelaySql;
  /** `timeout` in seconds, by default that of control/sql. */
  readonly open: (config: RelaySql, timeout?: number) => Promise<Table>;
  readonly warn: (line: string) => void;
}

const PROBE = 250; // milliseconds between retries of a database that is unavailable
const REFRESH = 10_000; // milliseconds between readings of the netblocks, which also keep the connection alive
const NETBLOCK_TIMEOUT = 5; // seconds; no client waits for these
const NOBODY: Ip = [0, 0, 0, 0]; // an address to test whether the database is available

const now = () => performance.now() / 1000;
const NONE = netblocks([]);

/**
 * The relay table over one connection. While the database is unavailable, clients are served without it and without a
 * delay; it is retried in the background. Netblocks are kept in memory.
 */
export function relaySource(edges: Edges): RelaySource {
  const source = new Source(edges);
  source.reload();
  setInterval(() => source.refresh(), REFRESH);
  return { reload: () => source.reload(), mayRelay: (ip) => source.mayRelay(ip) };
}

class Source {
  private readonly edges: Edges;
  private readonly availability = watchAvailability(now);
  private readonly asked = singleFlight<string, boolean>((yes) => yes);
  private config: RelaySql | undefined;
  private table: Promise<Table> | undefined;
  private blocks: Netblocks = NONE;

  constructor(edges: Edges) {
    this.edges = edges;
  }

  mayRelay(text: string): boolean | Promise<boolean> {
    const ip = parseIp(text);
    const { config } = this;
    if (!config || !ip) return false;
    if (this.blocks.contains(ip, now()) || this.availability.isKept(text)) return true;
    if (this.availability.isAway()) return false;
    return this.asked(text, () => this.askOrServe(config, ip, text));
  }

  reload(): void {
    try {
      this.config = this.edges.read();
    } catch (error) {
      this.warn(error); // the old one, if any, is kept
      return;
    }
    this.availability.renew();
    const generation = this.availability.generation();
    this.drop();
    this.connected(this.config).catch((error) => this.failed(generation, error));
    this.readNetblocks(generation).catch((error) => this.warn(error));
  }

  refresh(): void {
    const { config } = this;
    if (!config) {
      this.reload();
      return;
    }
    if (this.availability.isAway()) return;
    this.readNetblocks(this.availability.generation()).catch((error) => this.warn(error));
    this.askOrServe(config, NOBODY, "").catch((error) => this.warn(error));
  }

  private warn(error: unknown): void {
    if (this.availability.isLineDue()) {
      this.edges.warn(`serving without the relay table: ${reason(error)}`);
    }
  }

  private connected(config: RelaySql): Promise<Table> {
    this.table ??= this.edges.open(config);
    return this.table;
  }

  private drop(): void {
    const old = this.table;
    this.table = undefined;
    old?.then((table) => table.close()).catch(() => {});
  }

  private failed(generation: number, error: unknown): void {
    if (generation !== this.availability.generation()) return;
    this.warn(error);
    this.drop();
    if (this.availability.failed(generation)) setTimeout(() => this.probe(generation), PROBE);
  }

  private async ask(config: RelaySql, ip: Ip, key: string): Promise<boolean> {
    const left = await (await this.connected(config)).left(ip);
    if (left > 0) this.availability.keep(key, left);
    return left > 0;
  }

  private async askOrServe(config: RelaySql, ip: Ip, key: string): Promise<boolean> {
    const { timeout } = config;
    const generation = this.availability.generation();
    const start = now();
    const isFresh = this.table === undefined;
    const ask = () => this.ask(config, ip, key);
    try {
      try {
        // The limit includes the time to connect, if that is necessary.
        return await (isFresh ? within(timeout, ask) : ask());
      } catch (error) {
        const left = timeout - (now() - start);
        const isCurrent = generation === this.availability.generation();
        if (isFresh || left < timeout / 2 || !isCurrent) throw error;
        this.drop(); // an idle connection may have been closed: try a new one
        return await within(left, ask);
      }
    } catch (error) {
      this.failed(generation, error);
      return false;
    }
  }

  private async readNetblocks(generation: number): Promise<void> {
    const { config } = this;
    if (!config || generation !== this.availability.generation()) return;
    const table = await this.edges.open(config, NETBLOCK_TIMEOUT);
    try {
      const open = await table.blocks();
      if (generation === this.availability.generation())
        this.blocks = netblocks(open.map((block) => ({ ...block, until: now() + block.left })));
    } finally {
      await table.close();
    }
  }

  /** Retries a database that is unavailable until it succeeds. */
  private async probe(generation: number): Promise<void> {
    const { config } = this;
    if (!config || generation !== this.availability.generation()) return;
    try {
      await within(config.timeout, async () => (await this.connected(config)).left(NOBODY));
      if (!this.availability.returned(generation)) return;
      this.edges.warn("the relay table is back");
      this.readNetblocks(generation).catch((error) => this.warn(error));
    } catch (error) {
      if (generation !== this.availability.generation()) return;
      this.warn(error);
      this.drop();
      setTimeout(() => this.probe(generation), PROBE);
    }
  }
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

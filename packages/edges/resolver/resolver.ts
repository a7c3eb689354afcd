import { randomInt } from "node:crypto";
import {
  attempts,
  type Dns,
  formatName,
  openDnsCache,
  parseName,
  type Records,
  type RecordType,
  reverseName,
} from "@qmail-mysql/dns";
import { Trouble } from "@qmail-mysql/trouble";
import { parseIp } from "@qmail-mysql/wire";
import { exchange } from "./exchange.ts";
import { openGate } from "./gate.ts";

export interface ResolverSettings {
  /** Addresses of recursive servers, in order of preference. */
  readonly servers: () => readonly string[];
  readonly port?: number;
  /** Milliseconds for a lookup with all its attempts. */
  readonly limit?: number;
}

const PORT = 53;
const LIMIT = 30_000;
const CACHE = 4 << 20; // bytes
const PARALLEL = 200; // lookups at a time, each with one socket
const WAITING = 10_000; // lookups that may wait for one of these
const MAX_RECORDS = 512; // per lookup; more are not returned

type Some = readonly Records[RecordType][];
const now = () => performance.now();

/** Lookups over UDP and TCP, with a cache. Concurrent lookups of the same records are made once. */
export function openResolver({ servers, port = PORT, limit = LIMIT }: ResolverSettings): Dns {
  const cache = openDnsCache<Some>(CACHE, now);
  const flights = new Map<string, Promise<Some>>();
  const gate = openGate(PARALLEL, WAITING);
  let first = 0; // the server that responded last

  async function ask<T extends RecordType>(labels: readonly string[], type: T, key: string): Promise<Some> {
    const end = now() + limit;
    let why = "no response";
    for (const { server, wait } of attempts(servers(), first)) {
      const left = end - now();
      if (left <= 0) break;
      const query = { id: randomInt(0x10000), labels, type };
      const reply = await exchange({ host: server, port }, query, Math.min(wait, left));
      if (typeof reply === "object" && "records" in reply) {
        first = Math.max(0, servers().indexOf(server));
        const records = reply.records.slice(0, MAX_RECORDS);
        cache.put(key, records, reply.ttl ?? 0, JSON.stringify(records).length);
        return records;
      }
      why = `${typeof reply === "object" ? reply.failed : reply} from ${server}`;
    }
    throw new Trouble(`unable to look up ${key} in DNS: ${why}`);
  }

  async function lookUp<T extends RecordType>(name: string, type: T): Promise<readonly Records[T][]> {
    const labels = parseName(name);
    if (!labels) return []; // no such name can exist
    const key = `${type} of ${formatName(labels)}`;
    const known = cache.get(key) ?? flights.get(key);
    if (known) return (await known) as readonly Records[T][];
    const flight = gate(() => ask(labels, type, key)).finally(() => flights.delete(key));
    flights.set(key, flight);
    return (await flight) as readonly Records[T][];
  }

  return {
    lookUp,
    async namesOf(ip) {
      const parsed = parseIp(ip);
      return parsed ? lookUp(reverseName(parsed), "PTR") : [];
    },
  };
}

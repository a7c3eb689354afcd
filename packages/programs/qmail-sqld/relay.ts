import type { RelaySql } from "@qmail-mysql/control";
import type { Database } from "@qmail-mysql/database";
import { clientsOf, type Netblocks, netblocks, relayAnswers } from "@qmail-mysql/relay";
import { relayStoreOver } from "@qmail-mysql/relay-store";
import { FOR_EVER } from "@qmail-mysql/sqld-client";
import type { Store } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { formatIp, type Ip, lower, parseIp } from "@qmail-mysql/wire";
import type { Allowance } from "./allowance.ts";
import { type Answer, found, InvalidQuestion, NONE, type Peer } from "./answer.ts";
import { openCache } from "./cache.ts";
import type { Recorders } from "./settings.ts";

/** What the questions about the relay need. */
export interface RelayWorld {
  readonly relay: RelaySql;
  readonly driver: "mysql" | "sqlite";
  readonly database: Pick<Database, "query" | "change">;
  readonly findMailboxes: Store["findMailboxes"];
  readonly recorders: Recorders;
  readonly allowance: Allowance;
  readonly ownUid: number;
  readonly now: () => number;
}

export interface RelayQuestions {
  mayRelay(fields: readonly string[]): Promise<Answer>;
  recordLogin(fields: readonly string[], peer: Peer): Promise<Answer>;
}

const BLOCKS_KEPT = 10_000; // milliseconds: as in tcpserver-sql
const BLOCKS_STALE = 3_600_000; // milliseconds
const MAX_USER = 255; // bytes

/** Answers `mayRelay address` and `recordLogin address user` from the table of control/sql. */
export function relayQuestions(world: RelayWorld): RelayQuestions {
  const { relay, now } = world;
  const unsupported = () => Promise.reject(new Trouble("unable to answer: no such question"));
  const store = relayStoreOver(
    { ...world.database, version: unsupported, close: async () => {} },
    relay.table,
    world.driver,
  );
  const answers = relayAnswers(store, relay.time);
  const local = clientsOf(relay.local);
  const kept = openCache<Netblocks>(
    Infinity,
    () => false,
    () => 0,
    now,
  );
  const blocks = () =>
    kept.get("", { ttl: BLOCKS_KEPT, negativeTtl: BLOCKS_KEPT, stale: BLOCKS_STALE }, async () => {
      const open = await answers.blocks();
      return netblocks(open.map((block) => ({ ...block, until: now() + 1000 * block.left })));
    });
  const writing = openCache<Answer>(
    0,
    () => false,
    () => 0,
    now,
  ); // keeps nothing; joins concurrent calls for the same address and name

  /** Returns the name to record if `peer` may record a login of `user`; throws Trouble if not. */
  async function speaksFor(peer: Peer, user: string, ip: Ip): Promise<string> {
    const uid = peer();
    const { uids, owner } = world.recorders;
    if (uid === 0 || uid === world.ownUid || uids.includes(uid)) return user;
    const [mailbox] = owner ? await world.findMailboxes([lower(user)]) : [];
    if (!mailbox || "wrong" in mailbox || mailbox.uid !== uid) {
      throw new Trouble(`unable to record a login: uid ${uid} may not do so for this mailbox`);
    }
    if (!world.allowance.take(lower(user), formatIp(ip))) {
      throw new Trouble("unable to record a login: this mailbox has logged in from too many addresses");
    }
    return mailbox.username;
  }

  return {
    async mayRelay(fields) {
      const [address] = fields;
      if (fields.length !== 1 || address === undefined) throw invalidQuestion("mayRelay");
      const ip = parseIp(address);
      if (!ip) return NONE;
      const left = await answers.left(ip);
      if (left === Infinity) return found([FOR_EVER]);
      if (left > 0) return found([Math.ceil(left)]);
      const seconds = Math.ceil(((await blocks()).until(ip) - now()) / 1000);
      if (seconds === Infinity) return found([FOR_EVER]);
      return seconds > 0 ? found([seconds]) : NONE;
    },
    async recordLogin(fields, peer) {
      const [address, user] = fields;
      if (fields.length !== 2 || address === undefined || user === undefined)
        throw invalidQuestion("recordLogin");
      const ip = parseIp(address);
      if (!ip || user.length > MAX_USER) {
        throw new Trouble("unable to record a login: expected an address and a name");
      }
      if (local.contains(ip, 0)) return NONE;
      const name = await speaksFor(peer, user, ip);
      return writing.get(
        JSON.stringify([formatIp(ip), name]),
        { ttl: 0, negativeTtl: 0, stale: 0 },
        async () => {
          await store.open(ip, name).catch(withRemedy);
          return found([]);
        },
      );
    },
  };
}

function invalidQuestion(question: string): InvalidQuestion {
  return new InvalidQuestion(`unable to answer ${question}: a wrong number of fields`);
}

/** Adds the remedy to MySQL's error "INSERT command denied to user ... for table ...". */
function withRemedy(error: unknown): never {
  if (error instanceof Trouble && error.message.includes("command denied")) {
    throw new Trouble(`${error.message}; fix: see qmail-mysql init --grants`);
  }
  throw error;
}

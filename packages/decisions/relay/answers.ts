import type { Ip } from "@qmail-mysql/wire";
import type { Netblock } from "./netblock.ts";
import { openBlocks, type RelayRows, windowLeft } from "./row.ts";

/** Ports: the rows of a relay table. Each throws on trouble. */
export interface RelayTableQuestions {
  /** The rows that may concern the address. */
  readonly rowsOf: (ip: Ip) => Promise<RelayRows>;
  readonly netblockRows: () => Promise<RelayRows>;
}

/** Ports: who may relay, from the table or from qmail-sqld. Each throws on trouble. */
export interface RelayAnswers {
  /** Seconds for which the address may still relay: Infinity without limit, 0 if it has no valid row of its own. */
  readonly left: (ip: Ip) => Promise<number>;
  /** Netblocks that may relay, each with its seconds; none if `left` already includes them. */
  readonly blocks: () => Promise<readonly (Netblock & { readonly left: number })[]>;
}

/** RelayAnswers from the rows of a table; a login is valid for `time` seconds. */
export function relayAnswers(table: RelayTableQuestions, time: number): RelayAnswers {
  return {
    left: async (ip) => windowLeft(ip, await table.rowsOf(ip), time),
    blocks: async () => openBlocks(await table.netblockRows(), time),
  };
}

import type { Ip } from "@qmail-mysql/wire";
import type { Netblock } from "./netblock.ts";
import { openBlocks, type RelayRows, windowLeft } from "./row.ts";

/** Ports: rows of a relay table; each throws on trouble. */
export interface RelayTableQuestions {
  /** Those that may concern the address. */
  readonly rowsOf: (ip: Ip) => Promise<RelayRows>;
  readonly netblockRows: () => Promise<RelayRows>;
}

/** Who may relay, as the keeper of the table says; each throws on trouble. */
export interface RelayAnswers {
  /** For how many more seconds the address may: Infinity for ever, 0 not by itself. */
  readonly left: (ip: Ip) => Promise<number>;
  /** Netblocks that may, each with its seconds; none where `left` has counted them. */
  readonly blocks: () => Promise<readonly (Netblock & { readonly left: number })[]>;
}

/** RelayAnswers by the rows of a table; a login opens the relay for `time` seconds. */
export function relayAnswers(table: RelayTableQuestions, time: number): RelayAnswers {
  return {
    left: async (ip) => windowLeft(ip, await table.rowsOf(ip), time),
    blocks: async () => openBlocks(await table.netblockRows(), time),
  };
}

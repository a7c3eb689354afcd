import type { Ip } from "@qmail-mysql/wire";
import type { RelayAnswers } from "./answers.ts";
import { netblocks } from "./netblocks.ts";
import type { RelayClients } from "./relay-clients.ts";

/** The line that db/relay logs for a client. */
export function relayWords(ip: string, isClient: boolean): string {
  return `IP: '${ip}' is ${isClient ? "" : "NOT "}a relay client`;
}

export interface Client {
  /** Undefined if the client has no address or an invalid one: no table and no list contains it. */
  readonly ip: Ip | undefined;
  /** Is RELAYCLIENT already set? */
  readonly given: boolean;
}

/**
 * May this client relay? The decision of db/relay: yes if RELAYCLIENT is already set, if control/relayclients contains
 * it, or if a row for its address or for a netblock that contains it is valid. Throws if the decision depends on a
 * table that cannot be read.
 */
export async function mayRelay(
  { ip, given }: Client,
  { clients }: Pick<RelayClients, "clients">,
  table: RelayAnswers,
): Promise<boolean> {
  if (given) return true;
  if (!ip) return false;
  if (clients.contains(ip, 0)) return true;
  if ((await table.left(ip)) > 0) return true;
  const blocks = await table.blocks();
  return netblocks(blocks.map((block) => ({ ...block, until: block.left }))).contains(ip, 0);
}

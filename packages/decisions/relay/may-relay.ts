import type { Ip } from "@qmail-mysql/wire";
import type { RelayAnswers } from "./answers.ts";
import { netblocks } from "./netblocks.ts";
import type { RelayClients } from "./relay-clients.ts";

/** What db/relay's log says of a client. */
export function relayWords(ip: string, isClient: boolean): string {
  return `IP: '${ip}' is ${isClient ? "" : "NOT "}a relay client`;
}

export interface Asker {
  /** Undefined when the peer has no address, or none that can be read: then no table and no list has it. */
  readonly ip: Ip | undefined;
  /** Was RELAYCLIENT given to us? */
  readonly given: boolean;
}

/**
 * db/relay's decision: may this client relay? Yes when whoever called us said so, when control/relayclients
 * has it, when its login is younger than `time` seconds, or when an open netblock of the table contains it.
 * Throws when that depends on a table that does not answer.
 */
export async function mayRelay(
  { ip, given }: Asker,
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

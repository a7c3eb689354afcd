import { OPERANDS, type Order, toOperands, toOrder } from "@qmail-mysql/delivery";
import type { AliasRow } from "@qmail-mysql/routing";
import { netstring, nulEnded, nulFields } from "@qmail-mysql/wire";

/** What a worker is told: whom to become, what to deliver, and what the tables say about it. */
export interface Task {
  readonly uid: number;
  readonly gid: number;
  readonly order: Order;
  readonly magicForwarding: boolean;
  /** Undefined when they are too many for a packet: qmail-local is to ask for them itself. */
  readonly aliases: readonly AliasRow[] | undefined;
}

/** What a worker writes before it becomes qmail-local: all that follows is qmail-local's output. */
export const BECOMING = netstring("");

export const PACKET_LIMIT = 98_304; // bytes; half of what a socket takes at once by default

/** A task as a packet. Without its alias rows, when with them it is too long; undefined when it is so anyway. */
export function encodeTask(task: Task): string | undefined {
  const { uid, gid, order, magicForwarding, aliases } = task;
  const rows = (aliases ?? []).flatMap((row) => [
    row.username,
    row.alias,
    row.aliasUsername,
    row.aliasHost,
    row.position ?? "",
  ]);
  const fits = aliases && !rows.some((field) => field.includes("\0"));
  const flags = `${magicForwarding ? "m" : ""}${fits ? "" : "x"}`;
  const fields = [uid, gid, flags, ...toOperands(order)];
  const packet = nulEnded(fits ? [...fields, ...rows] : fields);
  if (packet.length <= PACKET_LIMIT) return packet;
  return aliases ? encodeTask({ ...task, aliases: undefined }) : undefined;
}

export function decodeTask(packet: string): Task {
  const [uid, gid, flags = "", ...fields] = nulFields(packet) ?? [];
  const aliases: AliasRow[] = [];
  for (let at = OPERANDS; at + 4 < fields.length; at += 5) {
    const [username = "", alias = "", aliasUsername = "", aliasHost = "", position] = fields.slice(
      at,
      at + 5,
    );
    aliases.push({ username, alias, aliasUsername, aliasHost, position });
  }
  return {
    uid: Number(uid),
    gid: Number(gid),
    order: toOrder(fields),
    magicForwarding: flags.includes("m"),
    aliases: flags.includes("x") ? undefined : aliases,
  };
}

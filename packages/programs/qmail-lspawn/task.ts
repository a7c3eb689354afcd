import { OPERANDS, type Order, toOperands, toOrder } from "@qmail-mysql/delivery";
import type { AliasRow } from "@qmail-mysql/routing";
import { netstring, nulEnded, nulFields } from "@qmail-mysql/wire";

/** A delivery for a worker: the uid and gid to set, the operands of qmail-local and the alias rows. */
export interface Task {
  readonly uid: number;
  readonly gid: number;
  readonly order: Order;
  readonly magicForwarding: boolean;
  /** Undefined if they are too long for a packet: qmail-local then looks them up itself. */
  readonly aliases: readonly AliasRow[] | undefined;
}

/** Written by a worker before it executes qmail-local: what follows is the output of qmail-local. */
export const BECOMING = netstring("");

export const PACKET_LIMIT = 98_304; // bytes; half of the default limit of a socket

/** A task as a packet, without its alias rows if it would be too long; undefined if it is still too long. */
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

import { safeExtension } from "./search.ts";

/** The envelope of a delivery, and how its address is split. */
export interface Addressed {
  readonly local: string;
  readonly host: string;
  readonly dash: string;
  readonly ext: string;
  readonly sender: string;
}

const DOUBLE_BOUNCE = "#@[]";

/**
 * The sender of forwarded mail: the owner of the list if .qmail-ext-owner exists. If .qmail-ext-owner-default exists
 * too, in the form into which qmail-send inserts each recipient (VERP). The sender of a bounce is not changed.
 */
export function newSender(address: Addressed, exists: (file: string) => boolean): string {
  const { local, host, dash, ext, sender } = address;
  if (sender === "" || sender === DOUBLE_BOUNCE) return sender;
  const owner = `.qmail${dash}${safeExtension(ext)}-owner`;
  if (!exists(owner)) return sender;
  return exists(`${owner}-default`) ? `${local}-owner-@${host}-@[]` : `${local}-owner@${host}`;
}

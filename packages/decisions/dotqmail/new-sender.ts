import { safeExtension } from "./search.ts";

/** The envelope of a delivery, and the address as it was split. */
export interface Addressed {
  readonly local: string;
  readonly host: string;
  readonly dash: string;
  readonly ext: string;
  readonly sender: string;
}

const DOUBLE_BOUNCE = "#@[]";

/**
 * The sender of forwarded mail: the owner of the list if .qmail-ext-owner exists, with a mark for qmail-send to
 * put each recipient in (VERP) when .qmail-ext-owner-default does, too. Bounces keep theirs.
 */
export function newSender(address: Addressed, exists: (file: string) => boolean): string {
  const { local, host, dash, ext, sender } = address;
  if (sender === "" || sender === DOUBLE_BOUNCE) return sender;
  const owner = `.qmail${dash}${safeExtension(ext)}-owner`;
  if (!exists(owner)) return sender;
  return exists(`${owner}-default`) ? `${local}-owner-@${host}-@[]` : `${local}-owner@${host}`;
}

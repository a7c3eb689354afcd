/** A message of a Maildir as it was when the session began. */
export interface Message {
  /** Its file name, a byte string. */
  readonly name: string;
  readonly isNew: boolean;
  /** Seconds. */
  readonly mtime: number;
  /** Bytes of the file, which is what LIST and STAT tell. */
  readonly size: number;
}

/** Oldest first. Within a second by name, so that numbers are the same in every session. */
export function inOrder(a: Message, b: Message): number {
  return a.mtime - b.mtime || (a.name < b.name ? -1 : Number(a.name > b.name));
}

/** A digest of a byte string, in at most 70 printable characters. */
export type Digest = (bytes: string) => string;

/**
 * The unique-id: the name up to its first colon, as qmail-pop3d has it. A name that is no unique-id (RFC 1939
 * §7: bytes 0x21 to 0x7E, at least one) becomes its digest. A longer one than the 70 bytes of the RFC stays:
 * clients that know a message by it would fetch it again.
 */
export function uniqueId(name: string, digest: Digest): string {
  const colon = name.indexOf(":");
  const id = colon < 0 ? name : name.slice(0, colon);
  if (/^[!-~]+$/.test(id)) return id;
  return digest(name);
}

/** Where a file of that name in new/ goes at QUIT. */
export const seenName = (name: string): string => `${name}:2,`;

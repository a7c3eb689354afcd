/** A message of a Maildir at the beginning of the session. */
export interface Message {
  /** Its file name, a byte string. */
  readonly name: string;
  readonly isNew: boolean;
  /** Seconds. */
  readonly mtime: number;
  /** Bytes of the file, as reported by LIST and STAT. */
  readonly size: number;
}

/** Compares by age, oldest first; within a second by name, so that the numbers are the same in every session. */
export function inOrder(a: Message, b: Message): number {
  return a.mtime - b.mtime || (a.name < b.name ? -1 : Number(a.name > b.name));
}

/** A digest of a byte string, in at most 70 printable characters. */
export type Digest = (bytes: string) => string;

/**
 * The unique-id: the name up to its first colon, as in qmail-pop3d. If that is not a valid unique-id (RFC 1939 §7: at
 * least one byte, 0x21 to 0x7E), a digest of the name. More than the 70 bytes of the RFC are kept: clients that know
 * the message by that id would fetch it again.
 */
export function uniqueId(name: string, digest: Digest): string {
  const colon = name.indexOf(":");
  const id = colon < 0 ? name : name.slice(0, colon);
  if (/^[!-~]+$/.test(id)) return id;
  return digest(name);
}

/** The name in cur/ to which QUIT moves a file of new/. */
export const seenName = (name: string): string => `${name}:2,`;

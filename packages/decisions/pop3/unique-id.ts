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

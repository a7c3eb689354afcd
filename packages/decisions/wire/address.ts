/** An address split at its last @, as in qmail; undefined if it has none. */
export function splitAddress(address: string): { local: string; host: string } | undefined {
  const at = address.lastIndexOf("@");
  return at < 0 ? undefined : { local: address.slice(0, at), host: address.slice(at + 1) };
}

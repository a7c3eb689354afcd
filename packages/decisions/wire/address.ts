/** An address cut at its last @, as qmail cuts it; undefined when it has none. */
export function splitAddress(address: string): { local: string; host: string } | undefined {
  const at = address.lastIndexOf("@");
  return at < 0 ? undefined : { local: address.slice(0, at), host: address.slice(at + 1) };
}

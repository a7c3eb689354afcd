/** A local part as stock qmail-send rewrites it for a virtual host: host, dash, original local part. */
export interface Prefixed {
  readonly host: string;
  readonly local: string;
}

/**
 * Every way to read `local` as virtual host and local part, longest host first. control/virtualdomains has lines
 * `virtual.com:virtual.com`, so sales@virtual.com becomes virtual.com-sales. qmail-send always inserts a dash, also
 * with another break character.
 *
 *     my-domain.com-sales   my-domain.com|sales   my|domain.com-sales
 */
export function virtualPrefixes(local: string): Prefixed[] {
  const ways: Prefixed[] = [];
  for (let at = local.lastIndexOf("-"); at > 0; at = local.lastIndexOf("-", at - 1)) {
    ways.push({ host: local.slice(0, at), local: local.slice(at + 1) });
  }
  return ways;
}

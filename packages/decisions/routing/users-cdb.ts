import { lower } from "@qmail-mysql/wire";

/** Who users/cdb gives a local part to, and by which of its keys. */
export interface Assigned {
  /** user, uid, gid, home, dash, ext, as qmail-lspawn passes them on. */
  readonly fields: readonly string[];
  /** As users/assign writes it: =joe or +joe- */
  readonly entry: string;
}

/**
 * What qmail-lspawn finds in users/cdb: the exact key, else the longest one that ends in a character of the
 * record with the empty key. Undefined: it runs qmail-getpw.
 */
export function findAssigned(local: string, get: (key: string) => string | undefined): Assigned | undefined {
  const ends = get("") ?? "";
  const name = lower(local);
  const exact = get(`!${name}\0`);
  if (exact !== undefined) return { fields: exact.split("\0"), entry: `=${name}` };
  for (let length = name.length; length >= 0; length--) {
    if (length > 0 && !ends.includes(name[length - 1] ?? "")) continue;
    const data = get(`!${name.slice(0, length)}`);
    if (data === undefined) continue;
    return { fields: `${data}${local.slice(length)}`.split("\0"), entry: `+${name.slice(0, length)}` };
  }
  return undefined;
}

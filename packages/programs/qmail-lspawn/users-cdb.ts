import type { CdbReader } from "@qmail-mysql/cdb";
import { lower } from "@qmail-mysql/wire";

/** Who controls an address, as users/cdb or qmail-getpw says it. */
export interface Control {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly dash: string;
  readonly ext: string;
}

/** A users/cdb without the record that says where wildcards may end: QLX_CDB. */
export class NoWildcards extends Error {}
/** A record without its six fields: QLX_USAGE. */
export class ShortRecord extends Error {}

/**
 * The record for a local part: the exact one, else that of its longest beginning that ends in one of the
 * wildcard characters, or is empty. What follows a wildcard is added to its ext, in its own case.
 */
export function findInCdb(cdb: CdbReader, local: string): Control | undefined {
  const text = (data: Uint8Array) => Buffer.from(data).toString("latin1");
  const wildcards = cdb.get("");
  if (!wildcards) throw new NoWildcards("users/cdb has no record with an empty key");
  const ends = text(wildcards);
  const key = `!${lower(local)}\0`;
  const exact = cdb.get(key);
  if (exact) return control(text(exact));
  for (let length = key.length - 1; length >= 1; length--) {
    if (length > 1 && !ends.includes(key[length - 1] ?? "")) continue;
    const found = cdb.get(key.slice(0, length));
    if (found) return control(text(found) + local.slice(length - 1));
  }
  return undefined;
}

function control(data: string): Control {
  const fields = data.split("\0");
  if (fields.length < 6) throw new ShortRecord("a record of users/cdb has fewer than six fields");
  const [user = "", uid = "", gid = "", home = "", dash = "", ext = ""] = fields;
  return { user, uid: id(uid), gid: id(gid), home, dash, ext };
}

/** scan_ulong: the decimal digits it begins with, in 32 bits. */
function id(field: string): number {
  return Number(BigInt(/^\d*/.exec(field)?.[0] || 0) % 2n ** 32n);
}

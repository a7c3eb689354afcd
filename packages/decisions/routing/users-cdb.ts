import { lower } from "@qmail-mysql/wire";

/** Who controls an address: the fields of a record of users/cdb, or of the output of qmail-getpw. */
export interface Control {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly dash: string;
  readonly ext: string;
}

/** The record of users/cdb for a local part, and its key. */
export interface Assigned {
  readonly control: Control;
  /** As written in users/assign: =joe or +joe- */
  readonly entry: string;
}

/** A users/cdb without its record of the last characters of wildcards: QLX_CDB. */
export class NoWildcards extends Error {}
/** A record with fewer than six fields: QLX_USAGE. */
export class ShortRecord extends Error {}

/**
 * The record of users/cdb for a local part (nughde_get in qmail-lspawn.c): the exact one, else that of the longest
 * prefix that is empty or ends in a character of the record with the empty key. The rest of the local part is then
 * appended to ext, in its original case. Undefined: run qmail-getpw. Throws NoWildcards, ShortRecord.
 */
export function findAssigned(local: string, get: (key: string) => string | undefined): Assigned | undefined {
  const ends = get("");
  if (ends === undefined) throw new NoWildcards("users/cdb has no record with an empty key");
  const name = lower(local);
  const exact = get(`!${name}\0`);
  if (exact !== undefined) return assigned(exact, `=${name}`);
  for (let length = name.length; length >= 0; length--) {
    if (length > 0 && !ends.includes(name[length - 1] ?? "")) continue;
    const data = get(`!${name.slice(0, length)}`);
    if (data !== undefined) return assigned(data + local.slice(length), `+${name.slice(0, length)}`);
  }
  return undefined;
}

function assigned(data: string, entry: string): Assigned {
  const fields = data.split("\0");
  if (fields.length < 6)
    throw new ShortRecord(`the record of ${entry} in users/cdb has fewer than six fields`);
  const [user = "", uid = "", gid = "", home = "", dash = "", ext = ""] = fields;
  return { control: { user, uid: id(uid), gid: id(gid), home, dash, ext }, entry };
}

/** As scan_ulong: the value of the leading decimal digits, modulo 2^32. */
function id(field: string): number {
  return Number(BigInt(/^\d*/.exec(field)?.[0] || 0) % 2n ** 32n);
}

import { lower } from "@qmail-mysql/wire";
import { like, literals } from "./like.ts";

/** A row of the virtual table: mail for virtualUsername@virtualHost goes to username, extension ext. */
export interface VirtualRow {
  readonly username: string;
  readonly ext: string;
  readonly virtualUsername: string;
  readonly virtualHost: string;
  /** The address is refused; it does not fall to the catch-all. The tables of qmail/MySQL have no column for it. */
  readonly isDisabled?: boolean;
}

/** Port: the rows that may apply to local@host (lower case), exact ones and catch-alls, in any order. */
export type FindVirtual = (local: string, host: string) => Promise<readonly VirtualRow[]>;

/** A host with a row of its own in the virtual table or, with funky queries, matched by the pattern of a row. */
export interface VirtualHost {
  readonly host: string;
  /** A row has exactly this host. */
  readonly exact: boolean;
}

/** Port: those of `hosts` (lower case) that are virtual hosts, in the order given. */
export type FindVirtualHosts = (hosts: readonly string[]) => Promise<readonly VirtualHost[]>;

/**
 * The host that a rewritten local part begins with. `hosts` are the virtual hosts among its prefixes, longest first.
 * The host of the address is preferred, if it is known: without it, a.com-b.com-x may be b.com-x at a.com or x at
 * a.com-b.com. Otherwise it is the longest host with a row of its own, else the longest that matches a pattern.
 */
export function choosePrefix(hosts: readonly VirtualHost[], addressHost = ""): string | undefined {
  const own = hosts.find(({ host }) => host === lower(addressHost));
  return (own ?? hosts.find(({ exact }) => exact) ?? hosts[0])?.host;
}

/** An invalid row of the virtual table; the message names it. */
export class VirtualMisconfiguration extends Error {}

/**
 * The row for local@host: the exact row, else the catch-all, whose virtual_username is blank. With `funky` both columns
 * are LIKE patterns and the most specific row is used: an exact host before a pattern, of two patterns the one with
 * more literal characters; then the same for virtual_username, where blank matches nothing. Throws
 * VirtualMisconfiguration if that row has no username. The row may be a disabled one.
 */
export function chooseVirtual(
  rows: readonly VirtualRow[],
  local: string,
  host: string,
  funky = false,
): VirtualRow | undefined {
  const row = funky ? mostSpecific(rows, local, host) : exactOrCatchAll(rows, local, host);
  if (row && !row.isDisabled && row.username === "") {
    const columns = `('', '${row.ext}', '${row.virtualUsername}', '${row.virtualHost}')`;
    throw new VirtualMisconfiguration(`MySQL misconfiguration: virtual row ${columns} has no username`);
  }
  return row;
}

function exactOrCatchAll(rows: readonly VirtualRow[], local: string, host: string): VirtualRow | undefined {
  const here = rows.filter((row) => lower(row.virtualHost) === lower(host));
  const exact = here.find((row) => local !== "" && lower(row.virtualUsername) === lower(local));
  return exact ?? here.find((row) => row.virtualUsername === "");
}

function mostSpecific(rows: readonly VirtualRow[], local: string, host: string): VirtualRow | undefined {
  const rank = (pattern: string, text: string) =>
    lower(pattern) === lower(text) ? Number.POSITIVE_INFINITY : literals(pattern);
  const order = (a: number, b: number) => (a === b ? 0 : b > a ? 1 : -1);
  return rows
    .filter(
      (row) => like(host, row.virtualHost) && row.virtualUsername !== "" && like(local, row.virtualUsername),
    )
    .sort(
      (a, b) =>
        order(rank(a.virtualHost, host), rank(b.virtualHost, host)) ||
        order(rank(a.virtualUsername, local), rank(b.virtualUsername, local)) ||
        (columns(a) < columns(b) ? -1 : 1), // the database returns rows in any order: make it always the same
    )[0];
}

const columns = (row: VirtualRow): string =>
  [row.virtualHost, row.virtualUsername, row.username, row.ext].join("\0");

/** The username of virtual rows that forward to the address in ext: magic forwarding of qmail/MySQL. */
export const MAGIC_USER = "forward";

/** With magic forwarding, is `ext` of `user` an address to forward to? */
export function isMagic(user: string, ext: string): boolean {
  return lower(user) === MAGIC_USER && ext.includes("@");
}

/**
 * The address that magic forwarding sends the message to; undefined if it does not apply. It applies to addresses
 * that a virtual row rewrote: anybody can send to forward-stranger@example.com@here, which is not forwarded.
 */
export function magicTarget(user: string, local: string, ext: string): string | undefined {
  if (!isMagic(user, ext)) return undefined;
  const split = lower(local).startsWith(MAGIC_USER) && local.length === user.length + 1 + ext.length;
  return split ? undefined : ext;
}

import { like, type SendControls, virtualDomainKeys } from "@qmail-mysql/routing";
import { splitAddress } from "@qmail-mysql/wire";

/** Everything that names a recipient of a virtual host; all in lower case. */
export interface RecipientNames {
  readonly controls: Pick<SendControls, "locals" | "virtualdomains">;
  /** The virtual rows: local parts by host. */
  readonly virtual: ReadonlyMap<string, readonly string[]>;
  /** With funky queries: the hosts of rows in which a column is a pattern. */
  readonly patterns: readonly string[];
  /** The extensions of the alias user: in the alias table, and of its files .qmail-EXT. */
  readonly aliases: readonly string[];
  readonly files: readonly string[];
  /** The keys of users/cdb: exact ones, and prefixes. */
  readonly assigned: readonly string[];
  readonly prefixes: readonly string[];
}

/**
 * The local parts that may be deliverable at a host; "all" if they cannot be listed, because another user's extensions,
 * or another host, decide. Which of them are deliverable is for the verdict to say, which also finds catch-alls.
 */
export function listable(host: string, names: RecipientNames): readonly string[] | "all" {
  const { locals, virtualdomains } = names.controls;
  if (locals.has(host)) return "all";
  const key = virtualDomainKeys("\0", host).find((one) => virtualdomains.has(one));
  if (key === undefined || virtualdomains.get(key)?.toLowerCase() !== host) return "all";
  if (names.patterns.some((pattern) => like(host, pattern))) return "all";
  const prefix = `${host}-`;
  const isNarrow = (one: string) => one !== "" && (one.startsWith(prefix) || prefix.startsWith(one));
  if (names.prefixes.some(isNarrow)) return "all";
  const files = inside(names.files, prefix.replaceAll(".", ":"));
  if (files.some((file) => file.endsWith("-default"))) return "all";
  const found = [
    ...(names.virtual.get(host) ?? []),
    ...inside(names.assigned, prefix),
    ...inside(names.aliases, prefix).map((alias) => alias.replace(/@.*$/, "")),
    ...files.flatMap((file) => [file, file.replaceAll(":", ".")]),
    ...[...virtualdomains.keys()].flatMap((one) => {
      const address = splitAddress(one);
      return address?.host === host ? [address.local] : [];
    }),
  ].filter((local) => local !== "");
  // A line that begins with - excludes an address, and one with a blank or a # would be another.
  if (found.some((local) => /^[-#@]|[\0-\x20\x7f]/.test(local))) return "all";
  return [...new Set(found)].sort();
}

const inside = (names: readonly string[], prefix: string): string[] =>
  names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

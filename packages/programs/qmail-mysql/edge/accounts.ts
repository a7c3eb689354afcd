import type { FindSystemAccounts } from "@qmail-mysql/accounts";
import { findSystemAccounts, type PasswdEntry } from "@qmail-mysql/system";

const ASK = 500; // names per command line

/** Looks up system accounts, each only once. */
export function rememberedAccounts(timeout: number): FindSystemAccounts {
  const known = new Map<string, PasswdEntry | undefined>();
  return async (names) => {
    const unknown = names.filter((name) => !known.has(name));
    for (let at = 0; at < unknown.length; at += ASK) {
      const asked = unknown.slice(at, at + ASK);
      const found = new Map(findSystemAccounts(asked, timeout).map((entry) => [entry.name, entry]));
      for (const name of asked) known.set(name, found.get(name));
    }
    return names.flatMap((name) => known.get(name) ?? []);
  };
}

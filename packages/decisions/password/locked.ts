import { lower } from "@qmail-mysql/wire";

/** What no hash is: an account without a password, or a locked one. passwd(5), shadow(5). */
export const matchesNothing = (hash: string): boolean => /^$|^[!*]|^x$/.test(hash);

/** Is what is stored no password that anything could match, so that no comparison takes any time? */
export function isLocked(stored: string, passwordType: string): boolean {
  if (lower(passwordType) !== "crypt-password") return stored === "";
  return matchesNothing(stored.replace(/^\{[^}]*\}/, ""));
}

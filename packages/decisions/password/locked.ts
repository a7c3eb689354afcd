import { lower } from "@qmail-mysql/wire";

/** Is it no hash: an account that is locked or has no password? passwd(5), shadow(5). */
export const matchesNothing = (hash: string): boolean => /^$|^[!*]|^x$/.test(hash);

/** Can no password match what is stored? Such a comparison takes no time. */
export function isLocked(stored: string, passwordType: string): boolean {
  if (lower(passwordType) !== "crypt-password") return stored === "";
  return matchesNothing(stored.replace(/^\{[^}]*\}/, ""));
}

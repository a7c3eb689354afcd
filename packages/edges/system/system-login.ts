import { isRoot } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { findShadow, findSystemAccounts, type PasswdEntry } from "./system-accounts.ts";

/** A system account with the hash of its password. */
export interface SystemLogin extends PasswdEntry {
  readonly password: string;
  readonly expired: boolean;
}

const DAY = 86_400_000; // milliseconds

/**
 * The system account of that name with its shadow password, or the one in passwd if it has no shadow entry. Both are
 * always looked up, so that the time does not depend on whether the name exists.
 */
export function findSystemLogin(name: string, timeout: number, now: number): SystemLogin | undefined {
  const shadow = findShadow(name, timeout);
  const [account] = findSystemAccounts([name], timeout);
  if (!account) return undefined;
  if (!shadow && !isRoot()) {
    throw new Trouble(`unable to read the shadow password of ${name}: permission denied`);
  }
  const expires = Number(shadow?.expires || 0); // shadow(5): 0 has no meaning
  return {
    ...account,
    password: shadow?.password ?? account.password,
    expired: expires > 0 && now >= expires * DAY,
  };
}

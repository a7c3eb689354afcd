import { isRoot } from "@qmail-mysql/process";
import { Trouble } from "@qmail-mysql/trouble";
import { findShadow, findSystemAccounts, type PasswdEntry } from "./system-accounts.ts";

/** A system account with what its owner's password hashes to. */
export interface SystemLogin extends PasswdEntry {
  readonly password: string;
  readonly expired: boolean;
}

const DAY = 86_400_000; // milliseconds

/**
 * The system account of that name with its shadow password, or the one in passwd where there is no shadow.
 * Both are asked for in any case: a name that exists takes no longer than one that does not.
 */
export function findSystemLogin(name: string, timeout: number, now: number): SystemLogin | undefined {
  const shadow = findShadow(name, timeout);
  const [account] = findSystemAccounts([name], timeout);
  if (!account) return undefined;
  if (!shadow && !isRoot()) {
    throw new Trouble(`unable to read the shadow password of ${name}: permission denied`);
  }
  const expires = Number(shadow?.expires || 0); // shadow(5): a 0 is of no meaning
  return {
    ...account,
    password: shadow?.password ?? account.password,
    expired: expires > 0 && now >= expires * DAY,
  };
}

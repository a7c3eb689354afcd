import { Trouble } from "@qmail-mysql/trouble";
import type { HomeOwner, Mailbox, SystemAccount } from "./mailbox.ts";

/**
 * Why a mailbox row is not used; undefined when it is. Its home must exist and belong to its uid, and neither its
 * uid nor its gid may be 0. The gid of the home does not count, as in stock qmail-getpw: the owner's rights do not
 * depend on it. Throws Trouble when the asking program cannot see the home.
 */
export function mailboxProblem(
  { username, uid, gid, home }: Pick<Mailbox, "username" | "uid" | "gid" | "home">,
  homeOwner: HomeOwner,
): string | undefined {
  if (uid === 0) return "its uid is 0";
  if (gid === 0) return "its gid is 0";
  const owner = homeOwner(home);
  if ("uid" in owner) {
    return owner.uid === uid ? undefined : `home ${home} is owned by uid ${owner.uid}, not by its uid ${uid}`;
  }
  if (owner.hidden) {
    throw new Trouble(`unable to stat home ${home} of mailbox row "${username}": ${owner.unusable}`);
  }
  return `home ${home}: ${owner.unusable}`;
}

/** Does a system account get mail? Stock qmail-getpw's rule, which takes a home it cannot see for none. */
export function accountIsUsed({ uid, home }: SystemAccount, homeOwner: HomeOwner): boolean {
  if (uid === 0) return false;
  const owner = homeOwner(home);
  return "uid" in owner && owner.uid === uid;
}

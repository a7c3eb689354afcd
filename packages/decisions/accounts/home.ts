import { Trouble } from "@qmail-mysql/trouble";
import type { HomeOwner, Mailbox, SystemAccount } from "./mailbox.ts";

/**
 * Returns why a mailbox row is not used; undefined if it is. Its home must exist and belong to its uid, and neither
 * its uid nor its gid may be 0. The gid of the home is ignored, as in stock qmail-getpw: the owner's rights do not
 * depend on it. Throws Trouble if the calling program is not permitted to stat the home.
 */
export function mailboxProblem(
  { username, uid, gid, home }: Pick<Mailbox, "username" | "uid" | "gid" | "home">,
  homeOwner: HomeOwner,
): string | undefined {
  if (uid === 0) return "its uid is 0";
  if (gid === 0) return "its gid is 0";
  const owner = homeOwner(home, uid);
  if ("uid" in owner) {
    return owner.uid === uid ? undefined : `home ${home} is owned by uid ${owner.uid}, not by its uid ${uid}`;
  }
  if (owner.hidden) {
    throw new Trouble(`unable to stat home ${home} of mailbox row "${username}": ${owner.unusable}`);
  }
  return `home ${home}: ${owner.unusable}`;
}

/** Does a system account get mail? As in stock qmail-getpw, a home that cannot be examined counts as missing. */
export function accountIsUsed({ uid, home }: SystemAccount, homeOwner: HomeOwner): boolean {
  if (uid === 0) return false;
  const owner = homeOwner(home);
  return "uid" in owner && owner.uid === uid;
}

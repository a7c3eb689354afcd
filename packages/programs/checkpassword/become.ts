import type { Identity } from "@qmail-mysql/accounts";
import { becomeUser, changeDirectory, isRoot } from "@qmail-mysql/process";

/**
 * Becomes the user, changes to the home directory, and returns the variables to set for prog. A process that is not root
 * cannot become another user: if `mayVerify`, prog then runs under the current uid in /, so that a POP3 server that was
 * started without root does not serve its own mail to the client. Throws Trouble.
 */
export function become(
  { user, uid, gid, home, shell }: Identity,
  mayVerify: boolean,
): Readonly<Record<string, string>> {
  const isCurrent = process.getuid?.() === uid && process.getgid?.() === gid;
  if (!isRoot() && !isCurrent && mayVerify) {
    changeDirectory("/");
    return { USER: user, HOME: "/", SHELL: shell };
  }
  if (isRoot() || !isCurrent) becomeUser(uid, gid);
  changeDirectory(home);
  return { USER: user, HOME: home, SHELL: shell };
}

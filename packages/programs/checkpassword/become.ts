import type { Identity } from "@qmail-mysql/accounts";
import { becomeUser, changeDirectory, isRoot } from "@qmail-mysql/process";

/**
 * Becomes the user, in the home, and returns what prog's environment gets. A process that is not root can become
 * nobody else: if `mayVerify`, prog then runs as who we are, in no home at all, so that a POP3 server started
 * without root does not show its own mail to whoever logs in. Throws Trouble.
 */
export function become(
  { user, uid, gid, home, shell }: Identity,
  mayVerify: boolean,
): Readonly<Record<string, string>> {
  const isUs = process.getuid?.() === uid && process.getgid?.() === gid;
  if (!isRoot() && !isUs && mayVerify) {
    changeDirectory("/");
    return { USER: user, HOME: "/", SHELL: shell };
  }
  if (isRoot() || !isUs) becomeUser(uid, gid);
  changeDirectory(home);
  return { USER: user, HOME: home, SHELL: shell };
}

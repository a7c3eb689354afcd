import { readFileSync } from "node:fs";

/** The id of a name in /etc/passwd or /etc/group; -1 if there is none, as without root. */
function id(file: "passwd" | "group", name: string): number {
  const line = new RegExp(`^${name}:[^:]*:(\\d+):`, "m").exec(readFileSync(`/etc/${file}`, "latin1"));
  return Number(line?.[1] ?? -1);
}

/** The ids of qmail's accounts in the tests: test/with-accounts.sh. */
export const ALIAS = id("passwd", "alias");
export const QMAILD = id("passwd", "qmaild");
export const QMAILP = id("passwd", "qmailp");
export const QMAILQ = id("passwd", "qmailq");
export const QMAIL = id("group", "qmail");
export const NOFILES = id("group", "nofiles");

/** The output of qmail-getpw for alias, up to the extension, with bars instead of NULs. */
export const TO_ALIAS = `alias|${ALIAS}|${NOFILES}|${process.env.TEST_HOMES}/alias|-|`;

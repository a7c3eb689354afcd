import { readFileSync } from "node:fs";

/** Column 3 of a name's line in /etc/passwd or /etc/group; -1 where it has none, as without root. */
function id(file: "passwd" | "group", name: string): number {
  const line = new RegExp(`^${name}:[^:]*:(\\d+):`, "m").exec(readFileSync(`/etc/${file}`, "latin1"));
  return Number(line?.[1] ?? -1);
}

/** The ids of qmail's accounts where the tests run: test/with-accounts.sh. */
export const ALIAS = id("passwd", "alias");
export const QMAILD = id("passwd", "qmaild");
export const QMAILP = id("passwd", "qmailp");
export const QMAILQ = id("passwd", "qmailq");
export const QMAIL = id("group", "qmail");
export const NOFILES = id("group", "nofiles");

/** What qmail-getpw writes for alias, up to the extension, with bars in place of the NULs. */
export const TO_ALIAS = `alias|${ALIAS}|${NOFILES}|${process.env.TEST_HOMES}/alias|-|`;

import { Trouble } from "@qmail-mysql/trouble";

// Line 1 of conf/conf-qmail, conf/conf-break and conf/conf-users, put in at build time.
declare const CONF_QMAIL: string;
declare const CONF_BREAK: string;
declare const CONF_ALIAS: string;

/** The qmail home: $QMAIL_HOME, else what conf/conf-qmail said. An absolute path, or Trouble. */
export function qmailHome(): string {
  const home = process.env.QMAIL_HOME || CONF_QMAIL;
  if (!home.startsWith("/")) throw new Trouble(`unable to use QMAIL_HOME ${home}: not an absolute path`);
  return home;
}

/** The character between user and extension (conf-break). */
export const breakChar = (): string => CONF_BREAK;

/** The account that controls what nobody else does (conf-users). */
export const aliasUser = (): string => CONF_ALIAS;

import { Trouble } from "@qmail-mysql/trouble";

// Line 1 of conf/conf-qmail, conf/conf-break and conf/conf-users, defined at build time.
declare const CONF_QMAIL: string;
declare const CONF_BREAK: string;
declare const CONF_ALIAS: string;

/** The qmail home directory: $QMAIL_HOME, else the one in conf/conf-qmail. Throws Trouble unless it is absolute. */
export function qmailHome(): string {
  const home = process.env.QMAIL_HOME || CONF_QMAIL;
  if (!home.startsWith("/")) throw new Trouble(`unable to use QMAIL_HOME ${home}: not an absolute path`);
  return home;
}

/** The character between user and extension (conf-break). */
export const breakChar = (): string => CONF_BREAK;

/** The account that controls all addresses without another user (conf-users). */
export const aliasUser = (): string => CONF_ALIAS;

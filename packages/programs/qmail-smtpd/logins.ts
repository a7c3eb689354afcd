import type { AuthenticateClient, OwnsSender } from "@qmail-mysql/accounts";
import { authenticateByProgram, authenticateBySqld, openOwnsSender } from "@qmail-mysql/authenticate";

/** The logins of AUTH: by a checkpassword program if there is one, else by qmail-sqld. */
export function openLogins(home: string, program: readonly string[]): AuthenticateClient {
  return program.length > 0 ? authenticateByProgram(program) : authenticateBySqld(home, "qmail-smtpd");
}

/** Whose the envelope senders are. */
export const openSenders = (home: string): OwnsSender => openOwnsSender(home, "qmail-smtpd");

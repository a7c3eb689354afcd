import type { AuthenticateClient, LoginAnswer, LoginAttempt } from "@qmail-mysql/accounts";
import { askVerdict, sqldPath } from "@qmail-mysql/sqld-client";
import { openSite, type Site } from "@qmail-mysql/store";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { hasNul } from "./nul.ts";

/** Checks logins of mailboxes through qmail-sqld, which compares the passwords, so that no privilege is needed. */
export function authenticateBySqld(qmailHome: string, program: string): AuthenticateClient {
  let site: Promise<Site> | undefined;

  async function ask(attempt: LoginAttempt): Promise<LoginAnswer> {
    if (sqldPath(qmailHome) === undefined) {
      throw new Trouble("unable to check a login: neither control/sqld nor a checkpassword program is given");
    }
    site ??= openSite(qmailHome, program, true).catch((error) => {
      site = undefined; // tried again at the next login
      throw error;
    });
    const { sqld, settings } = await site;
    if (!sqld) throw new Trouble("unable to check a login: control/sqld is missing");
    if (hasNul(attempt)) return { refused: "wrong password" };
    const { login, client, service } = attempt;
    const verdict = await askVerdict(sqld, attempt, { ...client, service }, settings.timeout);
    if ("refused" in verdict) return verdict;
    return { accepted: { login, user: verdict.accepted.user } };
  }

  return (attempt) => ask(attempt).catch((error) => ({ trouble: reason(error) }));
}

import { type Assignment, format, getpw, Held } from "@qmail-mysql/accounts";
import { aliasUser, breakChar, qmailHome } from "@qmail-mysql/control-files";
import { print, say } from "@qmail-mysql/process";
import { openSite } from "@qmail-mysql/store";
import { homeOwner } from "@qmail-mysql/system";
import { Die, HARD, OK, QLX_NOALIAS, Usage } from "@qmail-mysql/trouble";

/** qmail-getpw local: prints who controls this local part. qmail-getpw(8). */
export async function main([local]: readonly string[]): Promise<number> {
  if (local === undefined) throw new Usage(HARD, "qmail-getpw local");
  const home = qmailHome();
  const { store, settings: site } = await openSite(home, "qmail-getpw");
  const settings = { ...site, breakChar: breakChar(), aliasUser: aliasUser() };
  let found: Assignment | undefined;
  try {
    found = await getpw(local, settings, {
      ...store,
      // Loaded when no mailbox has the address.
      findSystemAccounts: async (names) => {
        const { findSystemAccounts } = await import("@qmail-mysql/system/system-accounts");
        return findSystemAccounts(names, site.timeout);
      },
      homeOwner,
      warn: (line) => say(`qmail-getpw: warning: ${line}`),
    });
  } catch (error) {
    throw error instanceof Held && error.bounce ? new Die(HARD, error.message) : error;
  } finally {
    await store.close();
  }
  if (!found) throw new Die(QLX_NOALIAS, `unable to find the account ${settings.aliasUser}: no such user`);
  print(format(found));
  return OK;
}

import type { OwnsSender } from "@qmail-mysql/accounts";
import { recipientPorts } from "@qmail-mysql/recipient-check";
import { recipientControls } from "@qmail-mysql/routing-controls";
import { ownsSender } from "@qmail-mysql/sender";
import { openSite } from "@qmail-mysql/store";
import { awaitSystemAccounts } from "@qmail-mysql/system";
import { reason } from "@qmail-mysql/trouble";

/** This process decides, with the database that control/sqlserver names. Throws Trouble. */
export async function openHere(qmailHome: string, program: string): Promise<OwnsSender> {
  const site = await openSite(qmailHome, program, true);
  const find = (names: readonly string[]) => awaitSystemAccounts(names, site.settings.timeout);
  const ports = recipientPorts(qmailHome, site, find, () => recipientControls(qmailHome));
  return async (login, sender) => {
    try {
      return { owns: await ownsSender(login, sender, ports) };
    } catch (error) {
      return { trouble: reason(error) };
    }
  };
}

import { checkRecipient } from "@qmail-mysql/recipient";
import { recipientControls } from "@qmail-mysql/routing-controls";
import { openSite } from "@qmail-mysql/store";
import { awaitSystemAccounts } from "@qmail-mysql/system";
import type { RecipientCheck } from "./open.ts";
import { recipientPorts } from "./ports.ts";

/** This process decides, with the database that control/sqlserver names. Throws Trouble. */
export async function openHere(qmailHome: string, program: string): Promise<RecipientCheck> {
  const site = await openSite(qmailHome, program, true);
  const { timeout } = site.settings;
  const find = (names: readonly string[]) => awaitSystemAccounts(names, timeout);
  const ports = recipientPorts(qmailHome, site, find, () => recipientControls(qmailHome));
  return { check: (request) => checkRecipient(request, ports), close: site.store.close };
}

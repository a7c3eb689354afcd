import { checkRecipient } from "@qmail-mysql/recipient";
import { watchControls } from "@qmail-mysql/routing-controls";
import { openPool, openSite, poolServers, readSqlServer, type Site, storeOver } from "@qmail-mysql/store";
import { openAccountCache } from "@qmail-mysql/system";
import type { RecipientCheck } from "./check.ts";
import { recipientPorts } from "./ports.ts";

const CONNECTIONS = 4;
const now = () => performance.now();

/** This process decides, with the database that control/sqlserver names. Throws Trouble. */
export async function openHere(qmailHome: string, program: string, stays: boolean): Promise<RecipientCheck> {
  const site = stays ? residentSite(qmailHome, program) : await openSite(qmailHome, program);
  const controls = watchControls(qmailHome, now);
  const find = openAccountCache(site.settings.timeout, now);
  const ports = recipientPorts(qmailHome, site, find, controls.current, controls.assigned);
  return { check: (request) => checkRecipient(request, ports), close: site.store.close };
}

/** Connections that are opened again after the database was away. */
function residentSite(qmailHome: string, program: string): Pick<Site, "store" | "settings"> {
  const settings = readSqlServer(qmailHome, program);
  const connections = settings.driver === "sqlite" ? 1 : CONNECTIONS;
  const pool = openPool(poolServers(settings, qmailHome), connections, settings.timeout * 1000, now);
  return { store: storeOver(pool, settings.funkyQueries), settings };
}

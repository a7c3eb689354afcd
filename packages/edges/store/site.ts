import type { SiteSettings } from "@qmail-mysql/control";
import { readWhole } from "@qmail-mysql/native";
import { errno, reason, Trouble } from "@qmail-mysql/trouble";
import { type AnySqld, openSqld } from "./sqld.ts";
import type { Store } from "./store.ts";

/** What a program has to ask: the store, and the site's settings. */
export interface Site {
  readonly store: Store;
  readonly settings: SiteSettings;
  /** qmail-sqld, when the store is asked through it. */
  readonly sqld: AnySqld | undefined;
}

/**
 * The store and the settings of a qmail home: asked of qmail-sqld where control/sqld names its socket, and then
 * control/sqlserver is not opened; else of the database that control/sqlserver names. `stays` is for a program
 * that has more to do than to wait for an answer. Throws Trouble.
 */
export async function openSite(qmailHome: string, program: string, stays = false): Promise<Site> {
  const path = sqldPath(qmailHome);
  if (path !== undefined) return openSqld(path, stays);
  const { openStore, readSqlServer } = await import("./open.ts"); // no run through qmail-sqld needs it
  const settings = readSqlServer(qmailHome, program);
  return { store: await openStore(settings, qmailHome), settings, sqld: undefined };
}

/** Line 1 of control/sqld, a relative path being below the qmail home; undefined when there is no such file. */
export function sqldPath(qmailHome: string): string | undefined {
  const file = `${qmailHome}/control/sqld`;
  let text: string;
  try {
    text = readWhole(file);
  } catch (error) {
    if (errno(error) === "ENOENT") return undefined;
    throw new Trouble(`unable to read ${file}: ${reason(error)}`);
  }
  const path = text.slice(0, text.includes("\n") ? text.indexOf("\n") : undefined).trim();
  if (path === "")
    throw new Trouble(`unable to use ${file}: line 1: expected the path of qmail-sqld's socket`);
  return path.startsWith("/") ? path : `${qmailHome}/${path}`;
}

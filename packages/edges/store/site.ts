import { parsePublicLines, type SiteSettings } from "@qmail-mysql/control";
import { type AnySqld, PROTOCOL, sqldAt, sqldAtOnce, sqldDatabase, sqldPath } from "@qmail-mysql/sqld-client";
import { type Store, storeOver } from "./store.ts";

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

// Seconds for its settings, which it knows without its database.
const AT_ONCE = 5;

/** The store and the settings behind the socket at `path`, for a program that `stays` or for a single run. */
async function openSqld(path: string, stays: boolean): Promise<Site> {
  const sqld = (stays ? undefined : sqldAtOnce(path, AT_ONCE)) ?? sqldAt(path);
  const lines = (await sqld.ask("settings", [], AT_ONCE)) ?? [];
  const settings = parsePublicLines(
    lines.filter((line) => line !== PROTOCOL),
    `qmail-sqld at ${path}`,
  );
  const database = sqldDatabase(sqld, settings.timeout);
  return {
    store: storeOver(database, settings.funkyQueries),
    settings,
    sqld: { ...sqld, takesClient: lines.includes(PROTOCOL) },
  };
}

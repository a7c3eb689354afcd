import { parsePublicLines, type SiteSettings } from "@qmail-mysql/control";
import {
  type AnySqld,
  PROTOCOLS,
  sqldAt,
  sqldAtOnce,
  sqldDatabase,
  sqldPath,
} from "@qmail-mysql/sqld-client";
import { type Store, storeOver } from "./store.ts";

/** The store and the settings of a qmail home directory. */
export interface Site {
  readonly store: Store;
  readonly settings: SiteSettings;
  /** qmail-sqld, if the store uses it. */
  readonly sqld: AnySqld | undefined;
}

/**
 * Opens the store: qmail-sqld if control/sqld names its socket, and then control/sqlserver is not read; else the
 * database that control/sqlserver names. `stays` is for resident programs, which must not block while they wait. Throws
 * Trouble.
 */
export async function openSite(qmailHome: string, program: string, stays = false): Promise<Site> {
  const path = sqldPath(qmailHome);
  if (path !== undefined) return openSqld(path, stays);
  const { openStore, readSqlServer } = await import("./open.ts"); // not needed with qmail-sqld
  const settings = readSqlServer(qmailHome, program);
  return { store: await openStore(settings, qmailHome), settings, sqld: undefined };
}

// Seconds for its settings, which do not need its database.
const AT_ONCE = 5;

/** Opens the store and the settings through the socket at `path`; `stays` is for resident programs. */
async function openSqld(path: string, stays: boolean): Promise<Site> {
  const sqld = (stays ? undefined : sqldAtOnce(path, AT_ONCE)) ?? sqldAt(path);
  const lines = (await sqld.ask("settings", [], AT_ONCE)) ?? [];
  const versions = Object.values<string>(PROTOCOLS);
  const settings = parsePublicLines(
    lines.filter((line) => !versions.includes(line)),
    `qmail-sqld at ${path}`,
  );
  const database = sqldDatabase(sqld, settings.timeout);
  return {
    store: storeOver(database, settings.funkyQueries),
    settings,
    sqld: {
      ...sqld,
      takesClient: lines.includes(PROTOCOLS.client),
      takesService: lines.includes(PROTOCOLS.service),
    },
  };
}

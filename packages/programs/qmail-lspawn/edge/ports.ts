import { statSync } from "node:fs";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import type { RoutePorts } from "@qmail-mysql/delivery";
import { say } from "@qmail-mysql/process";
import { assignedIn } from "@qmail-mysql/routing-controls";
import { sqldPath } from "@qmail-mysql/sqld-client";
import { openPool, openSite, poolServers, readSqlServer, type Site, storeOver } from "@qmail-mysql/store";
import { awaitSystemAccounts, homeOwner, type PasswdEntry } from "@qmail-mysql/system";

const FRESH = 10_000; // milliseconds until the settings are read again
const ACCOUNT = 5000; // milliseconds for which a system account is cached; negative results are not
const CONNECTIONS = 4;

/** The lookups over the files and the database of a qmail home; follows changes of the control files. */
export function openRoutePorts(qmailHome: string): () => Promise<RoutePorts> {
  let site: Promise<Site> | undefined;
  let stamp = "";
  const accounts = new Map<string, { entry: PasswdEntry; until: number }>();

  /** Opens the site with the current control files, and closes the old one, even if opening fails. */
  async function follow(before: Promise<Site> | undefined): Promise<Site> {
    const old = await before?.catch(() => undefined);
    let now: Site | undefined;
    try {
      now = await open(qmailHome, old);
      return now;
    } finally {
      if (now !== old) old?.store.close().catch(() => {});
    }
  }

  function current(): Promise<Site> {
    const now = `${Math.floor(Date.now() / FRESH)} ${mark(`${qmailHome}/control/sqld`)} ${mark(`${qmailHome}/control/sqlserver`)}`;
    if (!site || now !== stamp) {
      stamp = now;
      const opened = follow(site);
      site = opened;
      opened.catch(() => {
        if (site === opened) site = undefined; // the next delivery tries again
      });
    }
    return site;
  }

  const find = async (names: readonly string[], timeout: number): Promise<PasswdEntry[]> => {
    const now = performance.now();
    const known = names.flatMap((name) => accounts.get(name) ?? []).filter(({ until }) => until > now);
    const unknown = names.filter((name) => !known.some(({ entry }) => entry.name === name));
    const found = await awaitSystemAccounts(unknown, timeout);
    for (const entry of found) accounts.set(entry.name, { entry, until: now + ACCOUNT });
    return [...known.map(({ entry }) => entry), ...found];
  };

  return async () => {
    const { store, settings } = await current();
    return {
      ...store,
      settings: { ...settings, breakChar: breakChar(), aliasUser: aliasUser() },
      inCdb: (local) => assignedIn(qmailHome, local),
      findSystemAccounts: (names) => find(names, settings.timeout),
      homeOwner,
      warn: (line) => say(`qmail-lspawn: warning: ${line}`),
    };
  };
}

let shown = "";

/** Opens qmail-sqld or a pool of connections. Returns the old site if its settings have not changed. */
async function open(qmailHome: string, old: Site | undefined): Promise<Site> {
  if (sqldPath(qmailHome) !== undefined) {
    return openSite(qmailHome, "qmail-lspawn", true);
  }
  const settings = readSqlServer(qmailHome, "qmail-lspawn");
  const now = JSON.stringify(settings);
  if (old && !old.sqld && now === shown) return old;
  shown = now;
  const connections = settings.driver === "sqlite" ? 1 : CONNECTIONS;
  const pool = openPool(poolServers(settings, qmailHome), connections, settings.timeout * 1000, () =>
    performance.now(),
  );
  return { store: storeOver(pool, settings.funkyQueries), settings, sqld: undefined };
}

/** A text that changes when the file does. */
function mark(file: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    return `${ino}.${mtimeMs}.${size}`;
  } catch {
    return "";
  }
}

import { type Stats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { FindSystemAccounts } from "@qmail-mysql/accounts";
import { aliasUser, breakChar } from "@qmail-mysql/control-files";
import type { RecipientControls, RecipientPorts, Seen } from "@qmail-mysql/recipient";
import { assignedIn } from "@qmail-mysql/routing-controls";
import type { Site } from "@qmail-mysql/store";
import { errno } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

/** The ports of a recipient's verdict over the files of a qmail home, and a database. */
export function recipientPorts(
  qmailHome: string,
  { store, settings }: Pick<Site, "settings"> & { readonly store: Pick<Site["store"], Lookup> },
  findSystemAccounts: FindSystemAccounts,
  controls: () => RecipientControls,
  inCdb: RecipientPorts["inCdb"] = (local) => assignedIn(qmailHome, local),
): RecipientPorts {
  const { findMailboxes, findAliases, findVirtual, findVirtualHosts } = store;
  return {
    findMailboxes,
    findAliases,
    findVirtual,
    findVirtualHosts,
    findSystemAccounts,
    settings: { ...settings, breakChar: breakChar(), aliasUser: aliasUser() },
    inCdb,
    controls,
    look,
  };
}

type Lookup = "findMailboxes" | "findAliases" | "findVirtual" | "findVirtualHosts";

const STAT_TIMEOUT = 1000; // milliseconds for a file system that does not respond

// The errors with which qmail-local takes a file for missing.
const ABSENT = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

/** The port `look`, without waiting longer than STAT_TIMEOUT. */
async function look(path: string): Promise<Seen> {
  if (path.includes("\0")) return "absent";
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"hidden">((resolve) => {
    timer = setTimeout(() => resolve("hidden"), STAT_TIMEOUT);
  });
  try {
    return await Promise.race([stat(toBuffer(path)).then(seen), late]);
  } catch (error) {
    return unseen(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The same in a blocking call, for a program that changes its effective uid to look. */
export function lookNow(path: string): Seen {
  if (path.includes("\0")) return "absent";
  try {
    return seen(statSync(toBuffer(path)));
  } catch (error) {
    return unseen(error);
  }
}

const unseen = (error: unknown): Seen => (ABSENT.includes(errno(error)) ? "absent" : "hidden");

function seen(status: Stats): Seen {
  const kind = status.isDirectory() ? "directory" : status.isFile() ? "file" : "other";
  return { kind, uid: status.uid, mode: status.mode };
}

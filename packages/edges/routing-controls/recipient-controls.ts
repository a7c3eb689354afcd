import { statSync } from "node:fs";
import type { RecipientControls } from "@qmail-mysql/recipient";
import type { Assigned } from "@qmail-mysql/routing";
import { assignedIn, withCdb } from "./cdb-file.ts";
import { rcptHosts, sendControls } from "./controls.ts";

/** The control files that say which recipients are ours, for a program that stays. */
export interface WatchedControls {
  /** Reads what has changed, within a second. Throws Trouble. */
  current(): RecipientControls;
  /** Looks up users/cdb, as assignedIn. */
  assigned(local: string): Assigned | undefined;
  /** A number that changes when one of the files does, users/cdb included. */
  generation(): number;
}

const FRESH = 1000; // milliseconds until the files are looked at again

// Read into memory.
const TEXTS = ["me", "locals", "envnoathost", "percenthack", "virtualdomains", "rcpthosts"].map(
  (name) => `control/${name}`,
);
// Opened for each lookup.
const TABLES = ["control/morercpthosts.cdb", "users/cdb"];

export function watchControls(qmailHome: string, now: () => number): WatchedControls {
  let read: RecipientControls | undefined;
  let texts = "";
  let tables = "";
  let hasAssigned = true;
  let generation = 0;
  let next = -Infinity;

  function refresh(): void {
    if (now() < next) return;
    const [nowTexts, nowTables] = [TEXTS, TABLES].map((files) =>
      files.map((file) => mark(`${qmailHome}/${file}`)).join(" "),
    ) as [string, string];
    if (nowTexts !== texts) read = undefined;
    if (nowTexts !== texts || nowTables !== tables) generation++;
    [texts, tables] = [nowTexts, nowTables];
    hasAssigned = !nowTables.endsWith(" ");
    next = now() + FRESH;
  }

  return {
    current() {
      refresh();
      try {
        read ??= recipientControls(qmailHome);
      } catch (error) {
        next = -Infinity; // the end of the error is seen at the next call
        throw error;
      }
      return read;
    },
    assigned(local) {
      refresh();
      return hasAssigned ? assignedIn(qmailHome, local) : undefined;
    },
    generation() {
      refresh();
      return generation;
    },
  };
}

/** The same, read once. Throws Trouble. */
export function recipientControls(qmailHome: string): RecipientControls {
  const more = `${qmailHome}/control/morercpthosts.cdb`;
  return {
    ...sendControls(qmailHome),
    rcpthosts: rcptHosts(qmailHome),
    isInMore: (key) => withCdb(more, (cdb) => cdb?.get(key) !== undefined),
  };
}

/** A text that changes when the file does. */
function mark(file: string): string {
  const status = statSync(file, { throwIfNoEntry: false });
  return status ? `${status.ino}.${status.mtimeMs}.${status.size}` : "";
}

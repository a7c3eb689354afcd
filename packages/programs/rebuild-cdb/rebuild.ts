import type { SqlServer } from "@qmail-mysql/control";
import { say } from "@qmail-mysql/process";
import type { Tables } from "@qmail-mysql/store";
import { Trouble } from "@qmail-mysql/trouble";
import { assign } from "./assign.ts";
import type { Context, Made } from "./context.ts";
import { lockFile } from "./edge/file-lock.ts";
import { install } from "./edge/install.ts";
import { openReplacement, type Replacement } from "./edge/replacement.ts";
import { tellQmailSend } from "./edge/tell-qmail-send.ts";
import type { Options } from "./options.ts";
import { progress } from "./progress.ts";
import { validrcptto } from "./recipients.ts";
import { morercpthosts, virtualdomains } from "./routing.ts";

/** The result of a rebuild. */
export interface Summary {
  readonly tables: readonly { file: string; rows: number; hand: number; changed: boolean }[];
  /** What was signalled: process ids of qmail-send, or service directories. */
  readonly hup: readonly (number | string)[];
  readonly ms: number;
}

const LOCK_TIMEOUT = 60; // seconds to wait for another rebuild; a million rows take a few

/** Rebuilds the given tables under a lock: all or none. Throws Trouble, or Die if it refuses to. */
export async function rebuild(
  home: string,
  config: SqlServer,
  tables: Tables,
  options: Options,
): Promise<Summary> {
  const started = performance.now();
  const file = `${home}/control/rebuild-cdb.lock`;
  const lock = lockFile(file, LOCK_TIMEOUT);
  if (!lock)
    throw new Trouble(
      `unable to lock ${file}: another process has held it for more than ${LOCK_TIMEOUT} seconds`,
    );
  const open: Replacement[] = [];
  const shown = progress("rebuild-cdb");
  const context: Context = {
    home,
    config,
    tables,
    trustHomes: options.trustHomes,
    progress: shown,
    warn: (line) => {
      shown.done();
      say(`rebuild-cdb: warning: ${line.replace(/[\0-\x1f\x7f]+/g, " ")}`);
    },
    open: (path) => {
      const file = openReplacement(path);
      open.push(file);
      return file;
    },
  };
  try {
    const made: Made[] = [];
    if (options.what.includes("routing"))
      made.push(await virtualdomains(context), await morercpthosts(context));
    if (options.what.includes("assign")) made.push(await assign(context));
    const changed = install(made.filter(isWanted), options);
    if (options.what.includes("recipients")) {
      const recipients = await validrcptto(context); // of the files that are now in place
      made.push(recipients);
      changed.push(...install([recipients].filter(isWanted), options));
    }
    const hup = options.what.includes("routing") && options.hup ? tellQmailSend(home, options) : [];
    return {
      tables: made.map(({ text, rows, hand, cdb }) => ({
        file: text.path,
        rows,
        hand,
        changed: changed.includes(text.path) || (cdb !== undefined && changed.includes(cdb.path)),
      })),
      hup,
      ms: Math.round(performance.now() - started),
    };
  } finally {
    shown.done();
    for (const file of open) file.abandon();
    lock.release();
  }
}

/** A table without rows and without an existing file is not created. */
function isWanted({ rows, source, text }: Made): boolean {
  return rows > 0 || source.exists || text.exists();
}

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { findQmailSend, hangUp, hangUpService } from "./qmail-send.ts";

export interface Service {
  /** Directories of supervised services to signal, none: every qmail-send of this home that /proc shows. */
  readonly services: readonly string[];
}

/**
 * Has qmail-send read control/locals and control/virtualdomains again, if they are other files than when it was
 * last told so. What it was told of is kept in `stamp`: a run killed between its writing and its telling is
 * made good by the next, and so is a hand-edited control/locals. Returns the processes and services that were told.
 */
export function tellQmailSend(home: string, { services }: Service): (number | string)[] {
  const stamp = `${home}/control/rebuild-cdb.hup`;
  const now = ["locals", "virtualdomains"].map((file) => identity(`${home}/control/${file}`)).join("\n");
  if (told(stamp) === `${now}\n`) return [];
  const pids = services.length === 0 ? findQmailSend(home) : [];
  for (const pid of pids) hangUp(pid);
  for (const service of services) hangUpService(service);
  writeFileSync(stamp, `${now}\n`, { mode: 0o644 });
  return [...pids, ...services];
}

function identity(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : "none";
}

function told(stamp: string): string {
  try {
    return readFileSync(stamp, "latin1");
  } catch {
    return "";
  }
}

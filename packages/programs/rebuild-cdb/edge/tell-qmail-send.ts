import { readFileSync, statSync, writeFileSync } from "node:fs";
import { findQmailSend, hangUp, hangUpService } from "./qmail-send.ts";

export interface Service {
  /** Directories of supervised services to signal; if empty, every qmail-send of this home found in /proc. */
  readonly services: readonly string[];
}

/**
 * Signals qmail-send to read control/locals and control/virtualdomains again if they have changed since the last
 * signal. Their state at that time is stored in `stamp`, so that the signal is sent by the next run if this one is
 * killed before, and also after control/locals was edited. Returns the signalled processes and services.
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

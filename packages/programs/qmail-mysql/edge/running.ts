import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { findSystemAccounts } from "@qmail-mysql/system";
import { nulFields } from "@qmail-mysql/wire";
import type { Identity } from "./effective-ids.ts";

/** How local mail is delivered on this host. */
export interface Installation {
  /** Our qmail-lspawn reads the tables itself, as root; a stock one runs qmail-getpw and qmail-local. */
  readonly lspawn: "ours" | "stock";
  /** The argument of the running qmail-lspawn; undefined if none runs. */
  readonly defaultDelivery: string | undefined;
  /** Is bin/qmail-getpw, or bin/qmail-local, a stock one, which does not read the tables? */
  readonly stockGetpw: boolean;
  readonly stockLocal: boolean;
  /** The account with which a stock qmail-lspawn runs qmail-getpw. */
  readonly getpwAs: Identity | undefined;
}

const GETPW_ACCOUNT = "qmailp"; // conf-users of qmail

export function installation(home: string, timeout: number): Installation {
  const running = runningLspawn(home);
  const isStock = (program: string) => target(`${home}/bin/${program}`)?.ours === false;
  const [account] = findSystemAccounts([GETPW_ACCOUNT], timeout);
  return {
    lspawn: running?.lspawn ?? (target(`${home}/bin/qmail-lspawn`)?.ours ? "ours" : "stock"),
    defaultDelivery: running?.defaultDelivery,
    stockGetpw: isStock("qmail-getpw"),
    stockLocal: isStock("qmail-local"),
    getpwAs: account && { uid: account.uid, gid: account.gid },
  };
}

/** Undefined if there is no such program. */
function target(path: string): { readonly ours: boolean } | undefined {
  try {
    return { ours: isOurs(realpathSync(path)) };
  } catch {
    return undefined;
  }
}

const isOurs = (executable: string): boolean => /\/qmail-mysql(\.js)?( \(deleted\))?$/.test(executable);

/** Finds the qmail-lspawn whose working directory is queue/mess of this home. Requires root. */
function runningLspawn(
  home: string,
): (Pick<Installation, "lspawn"> & { defaultDelivery: string }) | undefined {
  let mess: string;
  try {
    mess = realpathSync(`${home}/queue/mess`);
  } catch {
    return undefined;
  }
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`) !== mess) continue;
      const [name = "", defaultDelivery = ""] =
        nulFields(readFileSync(`/proc/${pid}/cmdline`, "latin1")) ?? [];
      if (!/(^|\/)qmail-lspawn$/.test(name)) continue;
      const ours = isOurs(readlinkSync(`/proc/${pid}/exe`));
      return { lspawn: ours ? "ours" : "stock", defaultDelivery };
    } catch {
      // it has ended meanwhile, or is not ours to see
    }
  }
  return undefined;
}

/** Finds the process that listens on a unix socket; undefined if none is found. Requires root. */
export function listener(socket: string): number | undefined {
  const rows = readFileSync("/proc/net/unix", "latin1").split("\n");
  const listening = rows.find((row) => row.endsWith(` ${socket}`) && row.split(/ +/)[3] === "00010000"); // __SO_ACCEPTCON
  const inode = listening?.split(/ +/)[6];
  if (inode === undefined) return undefined;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (open.includes(`socket:[${inode}]`)) return Number(pid);
    } catch {
      // it has ended meanwhile, or is not ours to see
    }
  }
  return undefined;
}

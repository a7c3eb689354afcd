import { readWhole } from "@qmail-mysql/native";
import { type Account, isOurs, listenerUid, whyUntrusted } from "@qmail-mysql/socket";

const DEFAULT = ["mysql"]; // in all distributions

/** Throws if an account other than root, our own and `names` could listen at the path of a socket. */
export function checkSocket(path: string, names: readonly string[] = DEFAULT): void {
  const why = whyUntrusted(path, accounts(names));
  if (why !== undefined) throw new Error(`${why}: expected a directory of ${list(names)}`);
}

/** Throws if the process that listens at the other end runs as another account. */
export function checkPeer(fd: number, names: readonly string[] = DEFAULT): void {
  const uid = listenerUid(fd);
  if (uid === undefined || isOurs(uid) || accounts(names).some((account) => account.uid === uid)) return;
  throw new Error(`its server runs as uid ${uid}: expected ${list(names)}`);
}

function list(names: readonly string[]): string {
  return `root or ${names.join(" or ")} (server_account in sqlserver(5))`;
}

/**
 * Accounts from /etc/passwd, which needs no other process; one of a directory service has to be given by its uid.
 * Names that do not exist are ignored.
 */
function accounts(names: readonly string[]): Account[] {
  const found: Account[] = [];
  for (const line of readWhole("/etc/passwd").split("\n")) {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    if (names.includes(name) || names.includes(uid)) found.push({ uid: Number(uid), gid: Number(gid) });
  }
  for (const name of names) if (/^\d+$/.test(name)) found.push({ uid: Number(name), gid: Number.NaN });
  return found;
}

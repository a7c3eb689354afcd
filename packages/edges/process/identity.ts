import { reason, Trouble } from "@qmail-mysql/trouble";
import { environment } from "./environment.ts";

export const isRoot = (): boolean => process.geteuid?.() === 0;

/**
 * Irrevocably becomes uid and gid, supplementary groups exactly {gid}, as qmail does. Refuses uid 0.
 * Throws Trouble.
 */
export function becomeUser(uid: number, gid: number): void {
  if (!(uid > 0) || !(gid >= 0)) throw new Trouble(`unable to become uid ${uid} gid ${gid}: not allowed`);
  try {
    environment(); // exec may need it, and afterwards nobody could tell it
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (error) {
    throw new Trouble(`unable to become uid ${uid} gid ${gid}: ${reason(error)}`);
  }
  const groups = process.getgroups?.() ?? [];
  const became =
    process.getuid?.() === uid &&
    process.geteuid?.() === uid &&
    process.getgid?.() === gid &&
    process.getegid?.() === gid &&
    groups.every((group) => group === gid) &&
    !canBecomeRoot();
  if (!became) throw new Trouble(`unable to become uid ${uid} gid ${gid}: the system did not comply`);
}

/** A saved uid of 0 would let it. */
function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

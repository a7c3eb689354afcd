import { libc } from "@qmail-mysql/native";
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
    setId("setgid", gid);
    setId("setuid", uid);
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

const RUNTIME_LIMIT = 2 ** 31; // the runtime takes no greater ids, the system those of 32 bits

function setId(call: "setgid" | "setuid", id: number): void {
  if (id < RUNTIME_LIMIT) return void process[call]?.(id);
  const c = libc();
  if (c.call[call](id | 0) !== 0) throw c.failure();
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

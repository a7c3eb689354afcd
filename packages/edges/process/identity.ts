import { libc } from "@qmail-mysql/native";
import { reason, Trouble } from "@qmail-mysql/trouble";
import { environment } from "./environment.ts";

export const isRoot = (): boolean => process.geteuid?.() === 0;

/**
 * Sets uid, gid and the supplementary groups, exactly {gid}, irrevocably, as qmail does. Refuses uid 0. Throws Trouble.
 */
export function becomeUser(uid: number, gid: number): void {
  if (!(uid > 0) || !(gid >= 0)) throw new Trouble(`unable to become uid ${uid} gid ${gid}: not allowed`);
  try {
    environment(); // exec may need it, and it cannot be read after setuid
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

const RUNTIME_LIMIT = 2 ** 31; // the runtime takes only smaller ids, the system those of 32 bits

function setId(call: "setgid" | "setuid", id: number): void {
  if (id < RUNTIME_LIMIT) return void process[call]?.(id);
  const c = libc();
  if (c.call[call](id | 0) !== 0) throw c.failure();
}

/** True if the saved uid is 0. */
function canBecomeRoot(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

import { reason, Trouble } from "@qmail-mysql/trouble";

/** An account whose access rights are used. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; default: only the gid, as qmail-lspawn sets them. */
  readonly groups?: readonly number[];
}

export const ROOT: Identity = { uid: 0, gid: 0 };

/**
 * Calls `use` with the access rights of another account, then restores those of root. Only the effective ids change, so
 * that the account can neither signal nor trace this process. Without root the ids are not changed. Nothing else may
 * use files meanwhile. Throws Trouble if the system refuses the ids.
 */
export function withIdsOf<T>({ uid, gid, groups = [gid] }: Identity, use: () => T): T {
  if (process.getuid?.() !== 0 || uid === 0) return use();
  const own = process.getgroups?.() ?? [];
  try {
    process.setgroups?.([...groups]);
    process.setegid?.(gid);
    process.seteuid?.(uid);
  } catch (error) {
    returnToRoot(own);
    throw new Trouble(`unable to use the rights of uid ${uid} gid ${gid}: ${reason(error)}`);
  }
  let result: T;
  try {
    result = use();
  } catch (error) {
    returnToRoot(own);
    throw error;
  }
  if (result instanceof Promise) return result.finally(() => returnToRoot(own)) as T;
  returnToRoot(own);
  return result;
}

function returnToRoot(groups: readonly number[]): void {
  process.seteuid?.(0);
  process.setegid?.(0);
  process.setgroups?.([...groups]);
}

/** May the effective ids write to and search a directory, according to its mode? */
export function mayChange(dir: {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}): boolean {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return true;
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  const shift = dir.uid === uid ? 6 : groups.includes(dir.gid) ? 3 : 0;
  return ((dir.mode >> shift) & 0o3) === 0o3;
}

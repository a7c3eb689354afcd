import { reason, Trouble } from "@qmail-mysql/trouble";

/** Whose access rights a program of qmail's looks with. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; as qmail-lspawn sets them, the gid alone. */
  readonly groups?: readonly number[];
}

export const ROOT: Identity = { uid: 0, gid: 0 };

/**
 * Runs `look` with the access rights of another account, and takes our own back. Effective ids alone change, so
 * that account can neither signal nor trace this process. Whoever is not root looks with his own rights. Nothing
 * else may touch files meanwhile. Throws Trouble when the system refuses the ids.
 */
export function lookAs<T>({ uid, gid, groups = [gid] }: Identity, look: () => T): T {
  if (process.getuid?.() !== 0 || uid === 0) return look();
  const own = process.getgroups?.() ?? [];
  try {
    process.setgroups?.([...groups]);
    process.setegid?.(gid);
    process.seteuid?.(uid);
  } catch (error) {
    returnToRoot(own);
    throw new Trouble(`unable to look as uid ${uid} gid ${gid}: ${reason(error)}`);
  }
  let result: T;
  try {
    result = look();
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

/** May the effective ids write to and search a directory, by its mode? */
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

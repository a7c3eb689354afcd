import type { Owner } from "@qmail-mysql/accounts";
import { status } from "@qmail-mysql/native";
import { Die, errno, isTemporary, QLX_NFS, reason } from "@qmail-mysql/trouble";

/** The HomeOwner port over stat(2). A temporary error is Die(QLX_NFS), as in stock qmail-getpw. */
export function homeOwner(home: string): Owner {
  try {
    return { uid: status(home).uid };
  } catch (error) {
    if (isTemporary(error)) throw new Die(QLX_NFS, `unable to stat ${home}: ${reason(error)}`);
    return { unusable: reason(error), hidden: errno(error) === "EACCES" };
  }
}

import { libc, SO_PEERCRED, SOL_SOCKET } from "@qmail-mysql/native";

const UCRED = 12; // bytes: pid, uid, gid

const ucred = new Int32Array(new ArrayBuffer(UCRED));
const length = new Int32Array(new ArrayBuffer(4));

/**
 * The uid of the process that connected to our unix socket: SO_PEERCRED in unix(7). Throws with an errno, and Trouble if
 * the C library cannot be called.
 */
export function peerUid(fd: number): number {
  const { call, failure } = libc();
  length[0] = UCRED;
  if (call.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0) throw failure();
  return (ucred[1] ?? 0) >>> 0;
}

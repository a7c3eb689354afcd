import type { Socket } from "node:net";
import { libc } from "@qmail-mysql/native";
import { Trouble } from "@qmail-mysql/trouble";

// Linux: socket.h
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED = 12; // bytes: pid, uid, gid

/**
 * The uid that connected to our unix socket, as the kernel says it: unix(7). Throws Trouble where the runtime has
 * no way to ask (libc.ts), or when the connection is gone.
 */
export function peerUid(socket: Socket): number {
  const { fd } = (socket as unknown as { _handle?: { fd?: number } })._handle ?? {};
  if (socket.destroyed || fd === undefined || fd < 0)
    throw new Trouble("unable to tell who asks: it is gone");
  const { call, failure } = libc();
  const [ucred, length] = [new Int32Array(UCRED / 4), new Int32Array([UCRED])];
  if (call.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0 || length[0] !== UCRED) {
    throw new Trouble(`unable to tell who asks: ${failure().code}`);
  }
  return (ucred[1] ?? 0) >>> 0;
}

export { type Adopted, adopt } from "./adopted.ts";
export { type AttachedSocket, attachSocket } from "./attach-socket.ts";
export { type BlockingSocket, connectBlocking } from "./blocking-socket.ts";
export { peerUid } from "./peer.ts";
export { inTurns, POLL_INTERVAL, whenReady } from "./readiness.ts";
export { clientOn, Gone, leave, linger, timedRead, timedReadAll, timedWrite } from "./timed-io.ts";
export { type Account, isOurs, listenerUid, ownerOfSocket, whyUntrusted } from "./trust.ts";
export { connectUnix, type UnixConnection } from "./unix-socket.ts";
export { type BunSocket, Unsent } from "./unsent.ts";

import { unlinkSync } from "node:fs";
import { createServer } from "node:net";
import { AF_UNIX, cString, libc, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from "@qmail-mysql/native";
import { inTurns, peerUid, whenReady } from "@qmail-mysql/socket";
import { fromText } from "@qmail-mysql/wire";
import { BunStream, nodeStream, type Stream, type StreamEvents } from "./stream.ts";

/** A new connection. */
export interface Accepted {
  /** The uid of the client; undefined if unknown. */
  readonly uid: number | undefined;
  open(events: StreamEvents): Stream;
  refuse(): void;
}

export interface UnixListener {
  close(): void;
}

const BACKLOG = 128; // connections not yet accepted; for a non-blocking client beyond them connect(2) fails: EAGAIN
// Few, since the next turn reads all that each of them has sent.
const PER_TURN = 16; // connections accepted before the event loop serves the others

/** Listens on `path`, through the C library if the runtime can call it. Throws with an errno, or calls `failed`. */
export function listenUnix(
  path: string,
  onConnection: (accepted: Accepted) => void,
  ready: () => void,
  failed: (error: Error) => void,
): UnixListener {
  try {
    libc();
  } catch {
    const server = createServer((socket) =>
      onConnection({
        uid: undefined,
        open: (events) => nodeStream(socket, events),
        refuse: () => void socket.destroy(),
      }),
    );
    server.on("error", failed);
    server.listen(path, ready);
    return { close: () => void server.close() };
  }
  return listenNative(path, onConnection, ready);
}

/** The runtime's own server accepts for as long as connections arrive, and serves no other one meanwhile. */
function listenNative(
  path: string,
  onConnection: (accepted: Accepted) => void,
  ready: () => void,
): UnixListener {
  const { call, failure } = libc();
  const listener = call.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) throw failure();
  const check = (result: number) => {
    if (result === 0) return;
    const error = failure();
    call.close(listener);
    throw error;
  };
  const address = cString(`${String.fromCharCode(AF_UNIX)}\0${fromText(path)}`);
  check(call.bind(listener, address, address.length));
  check(call.listen(listener, BACKLOG));

  let isClosed = false;
  const accept = inTurns(() => {
    if (isClosed) return false;
    const fd = call.accept4(listener, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return false; // no connection is waiting, or no descriptor is free
    onConnection({
      uid: peerUid(fd),
      open: (events) => new BunStream(fd, events),
      refuse: () => void call.close(fd),
    });
    return true;
  }, PER_TURN);
  const unwatch = whenReady(listener, accept);
  ready();
  return {
    close() {
      isClosed = true;
      unwatch();
      call.close(listener);
      unlinkSync(path);
    },
  };
}

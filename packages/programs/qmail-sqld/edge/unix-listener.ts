import { unlinkSync } from "node:fs";
import { createServer } from "node:net";
import { cString, libc } from "@qmail-mysql/native";
import { peerUid } from "@qmail-mysql/socket";
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

// Linux: sys/socket.h, fcntl.h
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const F_SETFL = 4;
const F_SETOWN = 8;
const O_ASYNC = 0o20000;

const BACKLOG = 128; // at most PER_TURN, so that a turn empties it and non-blocking clients can connect
const PER_TURN = 128; // connections accepted before the event loop serves the others
const LOOK_AGAIN = 1000; // milliseconds: the delay if a signal is lost or no descriptor is free

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

/**
 * The runtime's own server accepts for as long as connections arrive, and serves no other one meanwhile. This one
 * accepts at most PER_TURN before it serves the others.
 */
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

  let isScheduled = false;
  let isClosed = false;
  function accept(): void {
    isScheduled = false;
    for (let turn = 0; turn < PER_TURN; turn++) {
      if (isClosed) return;
      const fd = call.accept4(listener, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) return; // no connection is waiting, or no descriptor is free
      onConnection({
        uid: peerUid(fd),
        open: (events) => new BunStream(fd, events),
        refuse: () => void call.close(fd),
      });
    }
    schedule();
  }
  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(accept);
  }
  const again = setInterval(schedule, LOOK_AGAIN);
  process.on("SIGIO", schedule); // before O_ASYNC: the default action of SIGIO ends the process
  check(call.fcntl(listener, F_SETOWN, process.pid));
  check(call.fcntl(listener, F_SETFL, SOCK_NONBLOCK | O_ASYNC));
  ready();
  return {
    close() {
      isClosed = true;
      clearInterval(again);
      process.off("SIGIO", schedule);
      process.on("SIGIO", () => {});
      call.close(listener);
      unlinkSync(path);
    },
  };
}

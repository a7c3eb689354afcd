import { bun, native, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";
import { connectFd } from "./blocking-socket.ts";
import { listenerUid } from "./trust.ts";
import { type BunSocket, Unsent } from "./unsent.ts";

/** A connection to a unix socket. */
export interface UnixConnection {
  write(bytes: string): void;
  end(): void;
  /** The uid of the process that listens at the other end; undefined if the runtime cannot get it. */
  readonly listener: number | undefined;
}

export interface UnixEvents {
  readonly data: (chunk: string) => void;
  /** Called once, after the last data, with the error if there was one. */
  readonly close: (error?: unknown) => void;
}

interface BunRuntime {
  connect(options: {
    unix?: string;
    fd?: number;
    socket: {
      data(socket: BunSocket, chunk: Uint8Array): void;
      drain(): void;
      close(): void;
      error(socket: BunSocket, error: unknown): void;
      connectError(socket: BunSocket, error: unknown): void;
    };
  }): Promise<BunSocket>;
}

// Milliseconds. A non-blocking connect to a unix socket fails with EAGAIN while the server's backlog is full: connect(2).
const CONNECT_LIMIT = 5000;
const PAUSE = 20;

/**
 * Connects to a unix socket. Rejects with an errno. Uses Bun's own call if possible: loading node:net takes 2 ms, as
 * long as a short program (bench/RESULTS.md).
 */
export async function connectUnix(path: string, events: UnixEvents): Promise<UnixConnection> {
  const runtime = bun<BunRuntime>();
  const end = performance.now() + CONNECT_LIMIT;
  for (;;) {
    try {
      return await (runtime ? connectBun(runtime, path, events) : connectNode(path, events));
    } catch (error) {
      if (errno(error) !== "EAGAIN" || performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

async function connectBun(bun: BunRuntime, path: string, events: UnixEvents): Promise<UnixConnection> {
  const unsent = new Unsent();
  let failure: unknown;
  let over = false;
  let connected = false;
  const close = () => {
    if (connected && !over) events.close(failure);
    over = true;
  };
  const flush = () => {
    if (!over) unsent.flush(socket);
  };
  // The runtime reports every failure to connect as "refused", so the connection is made here.
  const c = native();
  const fd = c && connectFd(c, path, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK);
  const listener = fd === undefined ? undefined : listenerUid(fd);
  const socket = await bun.connect({
    ...(fd === undefined ? { unix: path } : { fd }),
    socket: {
      data: (_, chunk) => events.data(Buffer.from(chunk).toString("latin1")),
      drain: flush,
      close,
      error: (_, error) => {
        failure = error;
      },
      connectError: () => {}, // the promise is rejected as well
    },
  });
  connected = true;
  return {
    write(bytes) {
      unsent.add(Buffer.from(bytes, "latin1"));
      flush();
    },
    end: () => socket.end(),
    listener,
  };
}

async function connectNode(path: string, events: UnixEvents): Promise<UnixConnection> {
  const { connect } = await import("node:net");
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let failure: unknown;
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", (error) => {
        failure = error;
      });
      socket.on("data", (chunk) => events.data(chunk.toString("latin1")));
      socket.once("close", () => events.close(failure));
      resolve({
        write: (bytes) => void socket.write(bytes, "latin1"),
        end: () => void socket.end(),
        listener: undefined,
      });
    });
  });
}

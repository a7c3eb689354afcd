/** A connection to a unix socket: bytes out, and what becomes of it. */
export interface UnixConnection {
  write(bytes: string): void;
  end(): void;
}

export interface UnixEvents {
  readonly data: (chunk: string) => void;
  /** Once, after the last data; with the error that ended it, if one did. */
  readonly close: (error?: unknown) => void;
}

interface BunSocket {
  write(bytes: Uint8Array): number;
  end(): void;
}

interface BunRuntime {
  connect(options: {
    unix: string;
    socket: {
      data(socket: BunSocket, chunk: Uint8Array): void;
      drain(): void;
      close(): void;
      error(socket: BunSocket, error: unknown): void;
      connectError(socket: BunSocket, error: unknown): void;
    };
  }): Promise<BunSocket>;
}

declare const Bun: BunRuntime | undefined;

/**
 * Connects to a unix socket. Rejects with an errno. The runtime's own call where there is one: node:net costs
 * a program of 2 ms another 2 (bench/RESULTS.md).
 */
export function connectUnix(path: string, events: UnixEvents): Promise<UnixConnection> {
  return typeof Bun === "undefined" ? connectNode(path, events) : connectBun(Bun, path, events);
}

async function connectBun(bun: BunRuntime, path: string, events: UnixEvents): Promise<UnixConnection> {
  let unsent = Buffer.alloc(0);
  let failure: unknown;
  let over = false;
  const close = () => {
    if (!over) events.close(failure);
    over = true;
  };
  const flush = () => {
    if (over || unsent.length === 0) return;
    unsent = unsent.subarray(Math.max(socket.write(unsent), 0));
  };
  const socket = await bun.connect({
    unix: path,
    socket: {
      data: (_, chunk) => events.data(Buffer.from(chunk).toString("latin1")),
      drain: flush,
      close,
      error: (_, error) => {
        failure = error;
      },
      connectError: () => {}, // the promise is rejected, too
    },
  });
  return {
    write(bytes) {
      const buffer = Buffer.from(bytes, "latin1");
      unsent = unsent.length === 0 ? buffer : Buffer.concat([unsent, buffer]);
      flush();
    },
    end: () => socket.end(),
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
      });
    });
  });
}

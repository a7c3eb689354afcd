import { EventEmitter } from "node:events";
import { bun } from "@qmail-mysql/native";
import { type BunSocket, Unsent } from "@qmail-mysql/socket";

/** The address of a server for the runtime's own connect. */
export type Target = { readonly unix: string } | { readonly hostname: string; readonly port: number };

interface BunRuntime {
  connect(
    options: Target & {
      socket: {
        open(socket: BunSocket): void;
        data(socket: BunSocket, chunk: Uint8Array): void;
        drain(socket: BunSocket): void;
        close(): void;
        error(socket: BunSocket, error: unknown): void;
        connectError(socket: BunSocket, error: unknown): void;
      };
    },
  ): Promise<BunSocket>;
}

/**
 * The part of a stream that mysql2 uses, on the runtime's own sockets: loading node:net takes a fifth of the time of a
 * lookup. It cannot be paused, which is not needed since mysql.ts processes every row at once. `check` throws if the
 * descriptor is connected to the wrong process; nothing has been sent or read before.
 */
export class LightStream extends EventEmitter {
  destroyed = false;
  private socket: BunSocket | undefined;
  private readonly unsent = new Unsent();

  constructor(target: Target, check: (fd: number) => void) {
    super();
    this.open(target, check).catch((error: unknown) => {
      if (!this.destroyed) this.emit("error", error);
    });
  }

  private async open(target: Target, check: (fd: number) => void): Promise<void> {
    const flush = () => this.flush();
    let refused: unknown;
    const socket = await bun<BunRuntime>()?.connect({
      ...target,
      socket: {
        open: (socket) => {
          try {
            check(socket.fd);
          } catch (error) {
            refused = error;
          }
        },
        data: (_, chunk) => void (refused || this.emit("data", Buffer.from(chunk))),
        drain: flush,
        close: () => {
          if (this.destroyed || refused) return; // closed by us: no "end" event, as with a socket of node:net
          this.destroyed = true;
          this.emit("end");
          this.emit("close");
        },
        error: (_, error) => void this.emit("error", error),
        connectError: () => {}, // the promise is rejected as well
      },
    });
    if (refused !== undefined) {
      socket?.terminate();
      throw refused;
    }
    if (this.destroyed) return void socket?.terminate();
    this.socket = socket;
    flush();
  }

  private flush(): void {
    if (this.socket) this.unsent.flush(this.socket);
  }

  write(bytes: Buffer): boolean {
    this.unsent.add(bytes);
    this.flush();
    return true;
  }

  end(): void {
    this.socket?.end();
  }

  destroy(): void {
    this.destroyed = true;
    this.socket?.terminate();
  }
}

import { EventEmitter } from "node:events";

/** Where a server listens, as the runtime's own connect wants it. */
export type Target = { readonly unix: string } | { readonly hostname: string; readonly port: number };

interface BunSocket {
  readonly fd: number;
  write(bytes: Uint8Array): number;
  end(): void;
  terminate(): void;
}

declare const Bun:
  | {
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
  | undefined;

/** Is there such a thing in this runtime? */
export const hasLightStream = (): boolean => typeof Bun !== "undefined";

/**
 * What mysql2 needs of a stream, over the runtime's own sockets: node:net and what it stands on cost a look-up
 * a fifth of its time. It cannot be paused, nor need it be: mysql.ts takes every row as it comes. `check` throws
 * when the descriptor is connected to somebody it should not be; nothing has been sent or read by then.
 */
export class LightStream extends EventEmitter {
  destroyed = false;
  private socket: BunSocket | undefined;
  private unsent: Buffer = Buffer.alloc(0);

  constructor(target: Target, check: (fd: number) => void) {
    super();
    this.open(target, check).catch((error: unknown) => {
      if (!this.destroyed) this.emit("error", error);
    });
  }

  private async open(target: Target, check: (fd: number) => void): Promise<void> {
    const flush = () => this.flush();
    let refused: unknown;
    const socket = await Bun?.connect({
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
          if (this.destroyed || refused) return; // by us: as a socket of node:net, which then has no end
          this.destroyed = true;
          this.emit("end");
          this.emit("close");
        },
        error: (_, error) => void this.emit("error", error),
        connectError: () => {}, // the promise is rejected, too
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
    if (!this.socket || this.unsent.length === 0) return;
    this.unsent = this.unsent.subarray(Math.max(this.socket.write(this.unsent), 0));
  }

  write(bytes: Buffer): boolean {
    this.unsent = this.unsent.length === 0 ? bytes : Buffer.concat([this.unsent, bytes]);
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

import type { Socket } from "node:net";
import { type AttachedSocket, attachSocket } from "@qmail-mysql/socket";

/** The socket of a client, with the number of bytes that are not yet sent. */
export interface Stream {
  write(bytes: string): void;
  /** Number of bytes written that the socket has not accepted. */
  unsent(): number;
  pause(): void;
  resume(): void;
  /** Closes when everything is sent. */
  end(): void;
  destroy(): void;
}

export interface StreamEvents {
  data(bytes: string): void;
  /** Everything written has been sent. */
  drain(): void;
  /** Called once. */
  close(): void;
}

const HANDLERS = {
  open: (socket: AttachedSocket<BunStream>) => socket.data.opened(socket),
  data: (socket: AttachedSocket<BunStream>, chunk: Buffer) =>
    socket.data.events.data(chunk.toString("latin1")),
  drain: (socket: AttachedSocket<BunStream>) => socket.data.drained(),
  close: (socket: AttachedSocket<BunStream>) => socket.data.closed(),
  error: (socket: AttachedSocket<BunStream>) => socket.data.destroy(),
};

/** A descriptor from accept4(2), on the runtime's event loop. */
export class BunStream implements Stream {
  readonly events: StreamEvents;
  #socket: AttachedSocket<BunStream> | undefined;
  #unsent: Buffer = Buffer.alloc(0);
  #isEnding = false;
  #isClosed = false;

  constructor(fd: number, events: StreamEvents) {
    this.events = events;
    attachSocket({ fd, data: this, allowHalfOpen: false, socket: HANDLERS }).catch(() => this.closed());
  }

  opened(socket: AttachedSocket<BunStream>): void {
    this.#socket = socket;
    if (this.#isClosed) socket.terminate();
  }

  write(bytes: string): void {
    const buffer = Buffer.from(bytes, "latin1");
    if (this.#unsent.length > 0) this.#unsent = Buffer.concat([this.#unsent, buffer]);
    else this.#unsent = this.#sendSome(buffer);
  }

  #sendSome(bytes: Buffer): Buffer {
    return bytes.subarray(Math.max(this.#socket?.write(bytes) ?? 0, 0));
  }

  drained(): void {
    if (this.#unsent.length === 0) return;
    this.#unsent = this.#sendSome(this.#unsent);
    if (this.#unsent.length > 0) return;
    if (this.#isEnding) this.#socket?.end();
    else this.events.drain();
  }

  unsent(): number {
    return this.#unsent.length;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#unsent.length === 0) this.#socket?.end();
  }

  destroy(): void {
    this.#socket?.terminate();
    this.closed();
  }

  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsent = Buffer.alloc(0);
    this.events.close();
  }
}

/** The same over node:net, for a runtime without access to the C library. */
export function nodeStream(socket: Socket, events: StreamEvents): Stream {
  socket.on("data", (chunk) => events.data(chunk.toString("latin1")));
  socket.on("drain", events.drain);
  socket.on("error", () => socket.destroy());
  socket.on("close", events.close);
  return {
    write: (bytes) => void socket.write(bytes, "latin1"),
    unsent: () => socket.writableLength,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

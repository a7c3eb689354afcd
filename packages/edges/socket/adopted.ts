import { toBuffer } from "@qmail-mysql/wire";
import { type AttachedSocket, attachSocket } from "./attach-socket.ts";

/** A connection that is read and written when its session wants to. Times are milliseconds. */
export interface Adopted {
  /** The next bytes: at once if some have arrived; none at the end. */
  read(ms: number): Uint8Array | Promise<Uint8Array | "timeout">;
  /** Sends a byte string or bytes. False if the peer is gone or has not taken all of it in time. */
  write(data: string | Uint8Array, ms: number): boolean | Promise<boolean>;
  /** Forgets what has arrived. */
  discard(): void;
  /** Reads no more until the next read, and returns what has arrived. */
  hold(): Uint8Array;
  /** Closes only the descriptor: another process continues the connection. */
  abandon(): void;
  /** Ends what is sent to the peer, which may still send. */
  finish(): void;
  /** Has the peer neither closed nor lost its connection? */
  isThere(): boolean;
  /** Sends what is written, at most for `ms`, and closes. */
  close(ms: number): Promise<void>;
}

const HIGH_WATER = 65_536; // bytes received and not yet read, above which the socket is not read
const SWEEP = 500; // milliseconds between checks of time limits
const NOTHING = new Uint8Array(0);

const HANDLERS = {
  open: (socket: AttachedSocket<Connection>) => socket.data.opened(socket),
  data: (socket: AttachedSocket<Connection>, chunk: Buffer) => socket.data.received(chunk),
  drain: (socket: AttachedSocket<Connection>) => socket.data.drained(),
  end: (socket: AttachedSocket<Connection>) => socket.data.ended(),
  close: (socket: AttachedSocket<Connection>) => socket.data.closed(),
  error: (socket: AttachedSocket<Connection>) => socket.data.failed(),
};

/** Takes over a descriptor of a connected socket, to serve it on the event loop of the runtime. */
export async function adopt(fd: number): Promise<Adopted> {
  const connection = new Connection();
  await attachSocket({ fd, data: connection, allowHalfOpen: true, socket: HANDLERS });
  return connection;
}

/** Those with a time limit; one timer checks all of them, since thousands of timers are expensive. */
const limited = new Set<Connection>();
let sweep: NodeJS.Timeout | undefined;

class Connection implements Adopted {
  #socket: AttachedSocket<Connection> | undefined;
  #received: Uint8Array[] = [];
  #size = 0;
  #isPaused = false;
  #unsent: Uint8Array = NOTHING;
  #hasEnded = false;
  #isClosed = false;
  #reader: ((bytes: Uint8Array | "timeout") => void) | undefined;
  #writer: ((isSent: boolean) => void) | undefined;
  #closer: (() => void) | undefined;
  /** When the time limit of the reader or writer expires. */
  deadline = 0;

  read(ms: number): Uint8Array | Promise<Uint8Array | "timeout"> {
    const bytes = this.#take();
    if (bytes) return bytes;
    this.#goOn();
    return new Promise((resolve) => {
      this.#reader = resolve;
      this.#limit(ms);
    });
  }

  write(data: string | Uint8Array, ms: number): boolean | Promise<boolean> {
    if (this.#isClosed) return false;
    this.#unsent = this.#send(typeof data === "string" ? toBuffer(data) : data);
    if (this.#unsent.length === 0) return true;
    return new Promise((resolve) => {
      this.#writer = resolve;
      this.#limit(ms);
    });
  }

  discard(): void {
    this.#take();
  }

  hold(): Uint8Array {
    const bytes = this.#take() ?? NOTHING;
    this.#isPaused = true;
    this.#socket?.pause();
    return bytes;
  }

  abandon(): void {
    this.#socket?.close();
  }

  finish(): void {
    if (!this.#isClosed) this.#socket?.end();
  }

  isThere(): boolean {
    return !this.#hasEnded && !this.#isClosed;
  }

  async close(ms: number): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#closer = resolve;
      this.#limit(ms);
      this.#socket?.end();
      if (this.#isPaused) this.#socket?.resume(); // closed with unread bytes it would be reset, and a reply lost
    });
  }

  opened(socket: AttachedSocket<Connection>): void {
    this.#socket = socket;
  }

  received(chunk: Uint8Array): void {
    if (this.#closer) return; // a session that has ended reads no more
    this.#received.push(chunk);
    this.#size += chunk.length;
    if (this.#reader) this.#answer(this.#take() ?? NOTHING);
    if (this.#size < HIGH_WATER || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket?.pause();
  }

  drained(): void {
    if (this.#unsent.length > 0) this.#unsent = this.#send(this.#unsent);
    if (this.#unsent.length === 0) this.#wrote(true);
  }

  ended(): void {
    this.#hasEnded = true;
    if (this.#size === 0) this.#answer(NOTHING);
  }

  closed(): void {
    this.#isClosed = true;
    this.ended();
    this.#wrote(false);
    this.#unlimit();
    this.#closer?.();
  }

  failed(): void {
    this.#socket?.terminate();
    this.closed();
  }

  late(): void {
    this.#unlimit();
    this.#wrote(false);
    this.#answer("timeout");
    if (this.#closer) this.failed();
  }

  /** Everything that has arrived; undefined if that is nothing, and something may still arrive. */
  #take(): Uint8Array | undefined {
    const all = this.#received;
    if (all.length === 0) return this.#hasEnded ? NOTHING : undefined;
    this.#received = [];
    this.#size = 0;
    this.#goOn();
    return all.length === 1 ? all[0] : Buffer.concat(all);
  }

  #goOn(): void {
    if (this.#isPaused) this.#socket?.resume();
    this.#isPaused = false;
  }

  /** What the socket has not taken. */
  #send(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(Math.max(this.#socket?.write(bytes) ?? 0, 0));
  }

  #answer(bytes: Uint8Array | "timeout"): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#unlimit();
    reader?.(bytes);
  }

  #wrote(isSent: boolean): void {
    const writer = this.#writer;
    if (!writer) return;
    this.#writer = undefined;
    this.#unlimit();
    writer(isSent);
  }

  #limit(ms: number): void {
    this.deadline = performance.now() + ms;
    limited.add(this);
    sweep ??= setInterval(() => {
      const now = performance.now();
      for (const connection of limited) if (connection.deadline < now) connection.late();
      if (limited.size > 0) return;
      clearInterval(sweep);
      sweep = undefined;
    }, SWEEP);
  }

  #unlimit(): void {
    limited.delete(this);
  }
}

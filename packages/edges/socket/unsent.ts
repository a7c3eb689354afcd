/** The methods of a socket of the runtime that are used here. */
export interface BunSocket {
  readonly fd: number;
  /** Returns the number of bytes accepted. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  end(): void;
  /** Closes the descriptor alone: the connection goes on in other processes that have it. */
  close(): void;
  terminate(): void;
}

/** Bytes that a socket of the runtime has not yet accepted. */
export class Unsent {
  private bytes: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.bytes = this.bytes.length === 0 ? bytes : Buffer.concat([this.bytes, bytes]);
  }

  flush(socket: BunSocket): void {
    if (this.bytes.length > 0) this.bytes = this.bytes.subarray(Math.max(socket.write(this.bytes), 0));
  }
}

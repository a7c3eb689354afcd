/** What the runtime's own socket does, of it what is used anywhere. */
export interface BunSocket {
  readonly fd: number;
  /** Returns how many bytes it took. */
  write(bytes: Uint8Array): number;
  end(): void;
  terminate(): void;
}

/** Bytes that wait for a socket of the runtime to take them. */
export class Unsent {
  private bytes: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.bytes = this.bytes.length === 0 ? bytes : Buffer.concat([this.bytes, bytes]);
  }

  flush(socket: BunSocket): void {
    if (this.bytes.length > 0) this.bytes = this.bytes.subarray(Math.max(socket.write(this.bytes), 0));
  }
}

import { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { HELLO_LIMIT, serverName } from "@qmail-mysql/certificates";
import type { Adopted } from "@qmail-mysql/socket";
import type { Contexts } from "./contexts.ts";

/** What was negotiated. */
export interface TlsInfo {
  /** For example "TLSv1.3". */
  readonly protocol: string;
  readonly cipher: string;
  /** The server name that the client wants, in lower case; "" if it names none. */
  readonly serverName: string;
}

export interface Encrypted {
  readonly client: Adopted;
  readonly info: TlsInfo;
}

/**
 * Makes the TLS handshake as server on a connection of which nothing else will be read or written any more. Undefined if
 * it fails, or takes longer than `ms` milliseconds; the connection is then to be closed.
 */
export async function acceptTls(
  plain: Adopted,
  contexts: Contexts,
  ms: number,
): Promise<Encrypted | undefined> {
  const end = performance.now() + ms;
  const hello = await readHello(plain, end);
  const context = hello && contexts(hello.name);
  if (!context) return undefined;
  const stream = new Over(plain, hello.bytes, ms);
  const socket = new TLSSocket(stream, { isServer: true, secureContext: context });
  const client = new TlsClient(socket, plain);
  if (!(await client.secured(end - performance.now()))) return undefined;
  const protocol = socket.getProtocol() ?? "";
  return { client, info: { protocol, cipher: socket.getCipher()?.name ?? "", serverName: hello.name } };
}

interface Hello {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** The first bytes of the client, from which the certificate is chosen. */
async function readHello(plain: Adopted, end: number): Promise<Hello | undefined> {
  let bytes: Uint8Array = new Uint8Array(0);
  while (bytes.length < HELLO_LIMIT) {
    const more = await plain.read(Math.max(0, end - performance.now()));
    if (more === "timeout" || more.length === 0) return undefined;
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    const name = serverName(bytes);
    if (name !== undefined) return { bytes, name };
  }
  return undefined;
}

const HOUR = 3_600_000; // milliseconds; the session has its own limits, by which it closes the connection

/** The connection as a stream of the runtime, which reads it only when TLS wants more. */
class Over extends Duplex {
  readonly #plain: Adopted;
  readonly #ms: number;
  #first: Uint8Array | undefined;

  constructor(plain: Adopted, first: Uint8Array, ms: number) {
    super({ allowHalfOpen: true });
    this.#plain = plain;
    this.#first = first;
    this.#ms = ms;
  }

  override async _read(): Promise<void> {
    const bytes = this.#first ?? (await this.#plain.read(HOUR));
    this.#first = undefined;
    this.push(bytes === "timeout" || bytes.length === 0 ? null : bytes);
  }

  override async _write(chunk: Uint8Array, _: unknown, done: (error?: Error) => void): Promise<void> {
    done((await this.#plain.write(chunk, this.#ms)) ? undefined : new Error("the client is gone"));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
  }
}

/** What the client sends and gets through TLS. */
class TlsClient implements Adopted {
  readonly #socket: TLSSocket;
  readonly #plain: Adopted;
  #isOver = false;
  #isSecure = false;
  /** A reader and a writer may wait at the same time. */
  readonly #waiting = new Set<() => void>();

  constructor(socket: TLSSocket, plain: Adopted) {
    this.#socket = socket;
    this.#plain = plain;
    const over = () => {
      this.#isOver = true;
      this.#wake();
    };
    socket.on("error", over).on("end", over).on("close", over);
    socket.on("readable", () => this.#wake());
    socket.on("secure", () => {
      this.#isSecure = true;
      this.#wake();
    });
  }

  async secured(ms: number): Promise<boolean> {
    await this.#until(ms, () => this.#isSecure || this.#isOver);
    return this.#isSecure && !this.#isOver;
  }

  async read(ms: number): Promise<Uint8Array | "timeout"> {
    let bytes: Uint8Array | null = null;
    const isDone = await this.#until(ms, () => {
      bytes = this.#socket.read();
      return bytes !== null || this.#isOver;
    });
    return isDone ? (bytes ?? new Uint8Array(0)) : "timeout";
  }

  async write(data: string | Uint8Array, ms: number): Promise<boolean> {
    if (this.#isOver) return false;
    let isSent = false;
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.#socket.write(bytes, (error) => {
      isSent = !error;
      if (error) this.#isOver = true;
      this.#wake();
    });
    await this.#until(ms, () => isSent || this.#isOver);
    return isSent;
  }

  discard(): void {
    this.#socket.read();
  }

  /** A connection with TLS stays in the process that has its keys. */
  hold(): Uint8Array {
    throw new Error("unable to hold a connection with TLS");
  }

  abandon(): void {
    throw new Error("unable to abandon a connection with TLS");
  }

  finish(): void {
    if (!this.#isOver) this.#socket.end();
  }

  isThere(): boolean {
    return !this.#isOver && this.#plain.isThere();
  }

  async close(ms: number): Promise<void> {
    if (!this.#isOver) this.#socket.end();
    await this.#until(ms, () => this.#isOver);
    this.#socket.destroy();
    await this.#plain.close(ms);
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }

  /** Waits until a condition holds; false if that takes longer. */
  async #until(ms: number, holds: () => boolean): Promise<boolean> {
    if (holds()) return true;
    return new Promise((resolve) => {
      const finish = (result: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(result);
      };
      const timer = setTimeout(() => finish(false), Math.max(0, Math.min(ms, HOUR)));
      const look = () => {
        if (holds()) finish(true);
      };
      this.#waiting.add(look);
    });
  }
}

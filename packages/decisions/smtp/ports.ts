import type { Maybe } from "@qmail-mysql/steps";
import type { Environment } from "./environment.ts";

/** How qmail-queue ended. */
export interface QueueEnd {
  readonly pid: number;
  /** Its exit code; undefined if it was killed by a signal. */
  readonly code: number | undefined;
  /** What it wrote to descriptor 6, at most 255 bytes: qmail-queue(8). */
  readonly custom: string;
  /** It has taken the whole message and envelope. */
  readonly isComplete: boolean;
}

/** A running qmail-queue. */
export interface Queue {
  /** Passes a part of the message. False if it has stopped reading. */
  put(bytes: Uint8Array): Maybe<boolean>;
  /** Passes the envelope, "" to have nothing queued, and waits for the end. */
  close(envelope: string): Maybe<QueueEnd>;
  /** Has nothing queued, and does not wait: the client is gone. */
  abandon(): void;
}

/** What a TLS handshake has negotiated. */
export interface TlsInfo {
  /** For example "TLSv1.3". */
  readonly protocol: string;
  readonly cipher: string;
  /** The server name that the client wants, in lower case; "" if it names none. */
  readonly serverName: string;
}

/** What a session needs of the world. Strings are byte strings, times milliseconds. */
export interface Ports {
  /** Since the epoch. */
  readonly now: () => number;
  /** The next bytes of the client; none at the end. */
  readonly read: (ms: number) => Maybe<Uint8Array | "timeout">;
  /** False if the client is gone or does not read within the time. */
  readonly write: (text: string, ms: number) => Maybe<boolean>;
  /** False if the client, from which nothing more was received, has closed or lost its connection. */
  readonly isThere: () => Maybe<boolean>;
  /** Starts `program`, a path relative to the qmail home, as qmail-queue. Undefined if no process can be made. */
  readonly openQueue: (program: string, environment: Environment) => Maybe<Queue | undefined>;
  /**
   * Discards what was received, sends `reply` within `ms`, "" for none, and makes a TLS handshake as server, after which
   * all other ports mean the encrypted connection. Undefined if that fails: the connection can only be closed. Not there
   * if no TLS is available.
   */
  readonly startTls?: (reply: string, ms: number) => Maybe<TlsInfo | undefined>;
  readonly pause: (ms: number) => Maybe<void>;
  /** Writes a line to the log. */
  readonly log: (line: string) => void;
}

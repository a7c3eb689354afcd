import type { Environment } from "./environment.ts";
import type { Extension } from "./extension.ts";
import { dataBytesOf } from "./number.ts";
import type { Ports, TlsInfo } from "./ports.ts";
import type { Settings } from "./settings.ts";

/** The client, as the environment describes it: tcp-environ(5). */
export interface Client {
  readonly ip: string;
  readonly host: string;
  readonly info: string | undefined;
  /** The name or address of this host that the client is connected to. */
  readonly local: string;
  /** Added to every recipient; undefined if the client may not relay. */
  readonly relay: string | undefined;
}

/** A mail transaction. Addresses are byte strings. */
export interface Transaction {
  readonly sender: string;
  /** control/badmailfrom has the sender. */
  readonly isBarred: boolean;
  readonly recipients: string[];
  /** Bytes of the envelope. */
  size: number;
  /** Bytes of the message, when it was received. */
  messageSize: number;
}

/** The state of a session. */
export interface Session {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly extensions: readonly Extension[];
  readonly environment: Environment;
  client: Client;
  /** Received and not yet used. */
  input: Uint8Array;
  /** Replies that are not yet sent. */
  output: string;
  /** The argument of HELO or EHLO; undefined if it is the name of the client. */
  helo: string | undefined;
  /** What TLS has negotiated; undefined in plain text. */
  tls: TlsInfo | undefined;
  /** The login of the client, a byte string. */
  login: string | undefined;
  /** Lines, each ended by LF, that follow the Received field of the next message. */
  header: string;
  /** Converts a reply of qmail-smtpd to the one that is sent. */
  render: (reply: string) => string;
  transaction: Transaction | undefined;
  /** That of the message that was received last. */
  lastTransaction: Transaction | undefined;
  /** The largest message in bytes; 0: no limit. */
  dataBytes: number;
  /** The program that is run as qmail-queue, from the first message on. */
  queueProgram: string | undefined;
}

/** The client according to the environment. */
export function clientOf(environment: Environment): Client {
  const { get } = environment;
  return {
    ip: get("TCPREMOTEIP") ?? "unknown",
    host: get("TCPREMOTEHOST") ?? "unknown",
    info: get("TCPREMOTEINFO"),
    local: get("TCPLOCALHOST") ?? get("TCPLOCALIP") ?? "unknown",
    relay: get("RELAYCLIENT"),
  };
}

export interface Parts {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly environment: Environment;
  readonly extensions?: readonly Extension[];
}

export function newSession({ settings, ports, environment, extensions = [] }: Parts): Session {
  return {
    settings,
    ports,
    extensions,
    environment,
    client: clientOf(environment),
    input: new Uint8Array(0),
    output: "",
    helo: undefined,
    tls: undefined,
    login: undefined,
    header: "",
    render: (reply) => reply,
    transaction: undefined,
    lastTransaction: undefined,
    dataBytes: dataBytesFor(environment, settings),
    queueProgram: undefined,
  };
}

/** The largest message: $DATABYTES overrides control/databytes; without digits it is 0. */
export function dataBytesFor(environment: Environment, { dataBytes }: Settings): number {
  const value = environment.get("DATABYTES");
  return value === undefined ? dataBytes : (dataBytesOf(value) ?? 0);
}

import { nulEnded, nulFields } from "@qmail-mysql/wire";

// The packets between tcpserver-sql and its workers: tcpserver-sql(8), section WORKERS. NUL-terminated fields.

/** A TLS certificate with its chain and its key, in PEM, and the server name it is for; "" is the default. */
export interface Certificate {
  readonly name: string;
  readonly chain: string;
  readonly key: string;
}

/**
 * A packet to a worker: a connection to serve, the certificates to use from now on, or the socket to the monitor, which
 * comes with the packet.
 */
export type Order =
  | { readonly kind: "connection"; readonly id: number; readonly env: readonly string[] }
  | { readonly kind: "certificate"; readonly certificate: Certificate; readonly isLast: boolean }
  | { readonly kind: "monitor" };

/** A connection that a worker has closed, and the exit code of its session. */
export interface Ended {
  readonly id: number;
  readonly code: number;
}

export const PACKET_LIMIT = 98_304; // bytes; half of the default limit of a socket
const READY = "ready\0";
const CONNECTION = "connection";
const CERTIFICATE = "certificate";
const MONITOR = "monitor";
const LAST = "last certificate";

/** A connection for a worker: the name by which its end is reported, and its environment, NAME=value. */
export function encodeConnection(id: number, env: readonly string[]): string {
  return nulEnded([CONNECTION, id, ...env]);
}

/** Certificates are sent one by one; the last one makes all of them take effect. */
export function encodeCertificate({ name, chain, key }: Certificate, isLast: boolean): string {
  return nulEnded([isLast ? LAST : CERTIFICATE, name, chain, key]);
}

/** The socket to the monitor, for a worker. */
export const encodeMonitor = (): string => nulEnded([MONITOR]);

/** Undefined if it is invalid. */
export function decodeOrder(packet: string): Order | undefined {
  const [kind, ...fields] = nulFields(packet) ?? [];
  if (kind === CONNECTION) return { kind, id: Number(fields[0]), env: fields.slice(1) };
  if (kind === MONITOR) return { kind };
  if (kind !== CERTIFICATE && kind !== LAST) return undefined;
  const [name = "", chain = "", key = ""] = fields;
  return { kind: CERTIFICATE, certificate: { name, chain, key }, isLast: kind === LAST };
}

/** Milliseconds from one report of a worker to the next at least: it is ready, and its event loop runs. */
export const HEARTBEAT = 2000;

/** A worker reports connections that it has closed; before any, and every HEARTBEAT, with an empty list, that it is ready. */
export function encodeEnds(ends: readonly Ended[]): string {
  return ends.length === 0 ? READY : nulEnded(ends.flatMap(({ id, code }) => [id, code]));
}

export const isReady = (packet: string): boolean => packet === READY;

/** Undefined if it is invalid. */
export function decodeEnds(packet: string): Ended[] | undefined {
  const fields = nulFields(packet)?.map(Number);
  if (!fields || fields.length % 2 !== 0 || !fields.every(Number.isInteger)) return undefined;
  return Array.from({ length: fields.length / 2 }, (_, i) => ({
    id: fields[2 * i] as number,
    code: fields[2 * i + 1] as number,
  }));
}

import { formatIp, ipOf } from "@qmail-mysql/wire";
import type { Records, RecordType } from "./dns.ts";
import { formatName } from "./name.ts";

// RFC 1035, 3.2 and 4.1; RFC 3596; RFC 2308.
const TYPES: Readonly<Record<RecordType, number>> = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28 };
const CNAME = 5;
const SOA = 6;
const IN = 1;
const HEADER = 12; // bytes
const QR = 0x8000;
const OPCODE = 0x7800;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;
const RA = 0x0080;
const NOERROR = 0;
const NXDOMAIN = 3;
const RCODES = ["", "format error", "server failure", "", "not implemented", "refused"];
const POINTER = 0xc0;
const MAX_NAME = 255;
const MAX_CNAMES = 16;

/** A question, and the id that its response repeats. */
export interface Query<T extends RecordType = RecordType> {
  readonly id: number;
  readonly labels: readonly string[];
  readonly type: T;
}

export type Reply<T extends RecordType> =
  /** Not a response to this query: to be ignored. */
  | "other"
  /** The response is too long for UDP. */
  | "truncated"
  | { readonly failed: string }
  /** `ttl` in seconds; undefined if the absence of records may not be cached. */
  | { readonly records: readonly Records[T][]; readonly ttl: number | undefined };

class Malformed extends Error {}

/** The message that asks a recursive server. */
export function encodeQuery({ id, labels, type }: Query): Uint8Array {
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join("");
  const bytes = Buffer.alloc(HEADER + name.length + 5);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(RD, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.write(name, HEADER, "latin1");
  bytes.writeUInt16BE(TYPES[type], bytes.length - 4);
  bytes.writeUInt16BE(IN, bytes.length - 2);
  return bytes;
}

/** What a server replied to a query. Does not throw, whatever the bytes are. */
export function decodeReply<T extends RecordType>(data: Uint8Array, query: Query<T>): Reply<T> {
  try {
    return decode(Buffer.from(data.buffer, data.byteOffset, data.byteLength), query);
  } catch (error) {
    if (error instanceof Malformed || error instanceof RangeError) return { failed: "an invalid response" };
    throw error;
  }
}

function decode<T extends RecordType>(bytes: Buffer, { id, labels, type }: Query<T>): Reply<T> {
  if (bytes.length < HEADER || bytes.readUInt16BE(0) !== id) return "other";
  const flags = bytes.readUInt16BE(2);
  if ((flags & QR) === 0 || (flags & OPCODE) !== 0) return "other";
  const rcode = flags & 0xf;
  const questions = bytes.readUInt16BE(4);
  // A server that could not parse the query may omit the question.
  if (questions === 0 && rcode !== NOERROR && rcode !== NXDOMAIN) return failed(rcode);
  if (questions !== 1) return "other";
  const asked = readName(bytes, HEADER);
  const name = formatName(labels);
  const isOurs =
    asked.name === name &&
    bytes.readUInt16BE(asked.next) === TYPES[type] &&
    bytes.readUInt16BE(asked.next + 2) === IN;
  if (!isOurs) return "other";
  if (rcode !== NOERROR && rcode !== NXDOMAIN) return failed(rcode);
  if (flags & TC) return "truncated";
  const answers = readRecords(bytes, asked.next + 4, bytes.readUInt16BE(6));
  const { end, ttl, records } = follow(bytes, name, type, answers.records);
  if (records.length > 0) return { records, ttl };
  if (rcode === NOERROR && answers.records.length === 0 && (flags & (AA | RA)) === 0) {
    return { failed: "a server that is not recursive" };
  }
  return { records: [], ttl: negativeTtl(bytes, answers.next, end, ttl) };
}

const failed = (rcode: number) => ({ failed: RCODES[rcode] || `response code ${rcode}` });

interface Resource {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  /** The data is bytes `from` to `next`. */
  readonly from: number;
  readonly next: number;
}

/** Follows the CNAMEs from `name`; returns its last name, the smallest TTL, and the records of `type` there. */
function follow<T extends RecordType>(
  bytes: Buffer,
  name: string,
  type: T,
  resources: readonly Resource[],
): { end: string; ttl: number; records: Records[T][] } {
  let end = name;
  let ttl = Number.POSITIVE_INFINITY;
  for (let hops = 0; ; hops++) {
    const here = resources.filter((one) => one.name === end);
    const found = here.filter((one) => one.type === TYPES[type]);
    ttl = Math.min(ttl, ...found.map((one) => one.ttl));
    if (found.length > 0) return { end, ttl, records: found.map((one) => readData(bytes, one, type)) };
    const alias = here.find((one) => one.type === CNAME);
    if (!alias) return { end, ttl, records: [] };
    if (hops === MAX_CNAMES) throw new Malformed("too many CNAMEs");
    ttl = Math.min(ttl, alias.ttl);
    end = nameOf(bytes, alias, alias.from);
  }
}

/** How long it may be cached that there is no record: RFC 2308, 5. Undefined without the SOA record of the zone. */
function negativeTtl(bytes: Buffer, at: number, end: string, ttl: number): number | undefined {
  const { records } = readRecords(bytes, at, bytes.readUInt16BE(8));
  const soa = records.find(
    ({ name, type }) => type === SOA && (name === "." || end === name || end.endsWith(`.${name}`)),
  );
  if (!soa || soa.next - soa.from < 4) return undefined;
  return Math.min(ttl, soa.ttl, bytes.readUInt32BE(soa.next - 4));
}

function readRecords(bytes: Buffer, from: number, count: number): { records: Resource[]; next: number } {
  const records: Resource[] = [];
  let next = from;
  for (let i = 0; i < count; i++) {
    const { name, next: at } = readName(bytes, next);
    const ttl = bytes.readInt32BE(at + 4);
    next = at + 10 + bytes.readUInt16BE(at + 8);
    if (next > bytes.length) throw new Malformed("a record beyond the end");
    if (bytes.readUInt16BE(at + 2) !== IN) continue;
    // RFC 2181, 8: a TTL with the highest bit is 0.
    records.push({ name, type: bytes.readUInt16BE(at), ttl: Math.max(0, ttl), from: at + 10, next });
  }
  return { records, next };
}

function readData<T extends RecordType>(bytes: Buffer, record: Resource, type: T): Records[T] {
  const { from, next } = record;
  const address = (length: number) => {
    if (next - from !== length) throw new Malformed("an address of a wrong length");
    return formatIp(ipOf(bytes.subarray(from, next)));
  };
  const readers: { readonly [R in RecordType]: () => Records[R] } = {
    A: () => address(4),
    AAAA: () => address(16),
    PTR: () => nameOf(bytes, record, from),
    MX: () => ({ preference: bytes.readUInt16BE(from), host: nameOf(bytes, record, from + 2) }),
    TXT: () => strings(bytes, from, next),
  };
  return readers[type]();
}

function strings(bytes: Buffer, from: number, next: number): string[] {
  const all: string[] = [];
  for (let at = from; at < next; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > next) throw new Malformed("a string beyond its record");
    all.push(bytes.toString("latin1", at + 1, end));
    at = end;
  }
  return all;
}

/** The name at the end of a record's data. */
function nameOf(bytes: Buffer, record: Resource, at: number): string {
  const { name, next } = readName(bytes, at);
  if (next !== record.next) throw new Malformed("a name of a wrong length");
  return name;
}

/** Reads a name and follows its pointers, each of which must point to an earlier byte than the one before. */
function readName(bytes: Buffer, from: number): { name: string; next: number } {
  const labels: string[] = [];
  let next: number | undefined;
  let size = 1;
  let lowest = from;
  for (let at = from; ; ) {
    const length = bytes.readUInt8(at);
    if (length === 0) return { name: formatName(labels), next: next ?? at + 1 };
    if ((length & POINTER) === POINTER) {
      const target = bytes.readUInt16BE(at) & 0x3fff;
      if (target >= lowest) throw new Malformed("a pointer forward");
      next ??= at + 2;
      lowest = target;
      at = target;
      continue;
    }
    size += 1 + length;
    if (length & POINTER || size > MAX_NAME || at + length >= bytes.length) throw new Malformed("a name");
    labels.push(bytes.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
}

import type { Endpoint } from "@qmail-mysql/connection";
import { formatIp, type Ip, ipOf, parseIp } from "@qmail-mysql/wire";

// The PROXY protocol, versions 1 and 2: proxy-protocol.txt of HAProxy.

export type ProxyHeader =
  /** The connection was opened by the proxy itself, or it does not know for whom. */
  | { readonly isLocal: true }
  | { readonly isLocal: false; readonly remote: Endpoint; readonly local: Endpoint };

export type ParsedProxyHeader =
  | { readonly header: ProxyHeader }
  /** The header is incomplete; at least so many more bytes belong to it. */
  | { readonly need: number }
  | { readonly invalid: string };

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const FIXED = 16; // bytes of version 2 before the addresses
const MAX_V2 = 4096; // bytes with the additional fields (TLVs), which are not used
const MAX_V1 = 107; // bytes with CR LF
const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPEC = 0;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** Parses the bytes received so far (a byte string). A reader that never reads more than it needs reads only the header. */
export function parseProxyHeader(bytes: string): ParsedProxyHeader {
  if (bytes.length < SIGNATURE.length) return { need: SIGNATURE.length - bytes.length };
  if (bytes.startsWith(SIGNATURE)) return parseV2(bytes);
  return bytes.startsWith("PROXY ") ? parseV1(bytes) : { invalid: "no PROXY header" };
}

function parseV1(bytes: string): ParsedProxyHeader {
  const end = bytes.indexOf("\r\n");
  if (end < 0) {
    if (bytes.length >= MAX_V1 || bytes.includes("\n")) return { invalid: "a PROXY line without end" };
    return { need: bytes.endsWith("\r") ? 1 : 2 };
  }
  const [, family, ...rest] = bytes.slice(0, end).split(" ");
  if (family === "UNKNOWN") return { header: { isLocal: true } };
  const [source = "", destination = "", sourcePort = "", destinationPort = "", extra] = rest;
  const remote = endpoint(parseIp(source), portOf(sourcePort));
  const local = endpoint(parseIp(destination), portOf(destinationPort));
  const isV6 = source.includes(":") && destination.includes(":");
  const isV4 = !source.includes(":") && !destination.includes(":");
  const isFamily = (family === "TCP4" && isV4) || (family === "TCP6" && isV6);
  if (!remote || !local || !isFamily || extra !== undefined) return { invalid: "an invalid PROXY line" };
  return { header: { isLocal: false, remote, local } };
}

function parseV2(bytes: string): ParsedProxyHeader {
  if (bytes.length < FIXED) return { need: FIXED - bytes.length };
  const data = Buffer.from(bytes, "latin1");
  const [command, family] = [data.readUInt8(12), data.readUInt8(13)];
  const length = FIXED + data.readUInt16BE(14);
  if (command !== LOCAL && command !== PROXY) return { invalid: "an unknown PROXY command" };
  if (length > MAX_V2) return { invalid: "a PROXY header that is too long" };
  if (bytes.length < length) return { need: length - bytes.length };
  if (command === LOCAL || family === UNSPEC) return { header: { isLocal: true } };
  const size = family === TCP4 ? 4 : family === TCP6 ? 16 : 0;
  if (size === 0) return { invalid: "a PROXY header for another protocol than TCP" };
  const ports = FIXED + 2 * size;
  if (length < ports + 4) return { invalid: "a PROXY header that is too short" };
  const address = (at: number) => ipOf(data.subarray(at, at + size));
  const remote = endpoint(address(FIXED), data.readUInt16BE(ports));
  const local = endpoint(address(FIXED + size), data.readUInt16BE(ports + 2));
  if (!remote || !local) return { invalid: "an invalid PROXY address" };
  return { header: { isLocal: false, remote, local } };
}

function endpoint(ip: Ip | undefined, port: number | undefined): Endpoint | undefined {
  return ip && port !== undefined ? { ip: formatIp(ip), port } : undefined;
}

function portOf(text: string): number | undefined {
  const port = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Infinity;
  return port <= 0xffff ? port : undefined;
}

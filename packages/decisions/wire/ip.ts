/** An IP address: 4 or 16 bytes. An IPv4-mapped IPv6 address (::ffff:1.2.3.4) is 4 bytes. */
export type Ip = readonly number[];

const OCTET = "(?:0|[1-9]\\d{0,2})"; // no leading zero: some programs read it as octal
const V4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Parses an address without zone, prefix length or leading zeros. Undefined for anything else. */
export function parseIp(text: string): Ip | undefined {
  if (text.length > 45) return undefined; // INET6_ADDRSTRLEN - 1
  if (!text.includes(":")) return parseV4(text);
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  const tail = dotted.includes(".") ? parseV4(dotted) : [];
  if (!tail) return undefined;
  const head = tail.length === 0 ? text : text.slice(0, text.lastIndexOf(":") + 1);
  const [before = "", after, extra] = (tail.length === 0 ? head : head.replace(/([^:]):$/, "$1")).split("::");
  if (extra !== undefined) return undefined;
  const left = groups(before);
  const right = after === undefined ? [] : groups(after);
  if (!left || !right) return undefined;
  const missing = 16 - left.length - right.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 2) return undefined;
  return ipOf([...left, ...Array<number>(missing).fill(0), ...right, ...tail]);
}

/** The address from 4 or 16 bytes in network order. */
export function ipOf(bytes: ArrayLike<number>): Ip {
  const all = Array.from(bytes);
  return all.length === 16 && MAPPED.every((byte, i) => all[i] === byte) ? all.slice(12) : all;
}

function parseV4(text: string): number[] | undefined {
  const bytes = V4.test(text) ? text.split(".").map(Number) : [];
  return bytes.length === 4 && bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const words = text.split(":");
  if (!words.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  return words.flatMap((word) => {
    const value = Number.parseInt(word, 16);
    return [value >> 8, value & 255];
  });
}

/** The text of an address: RFC 5952. */
export function formatIp(ip: Ip): string {
  if (ip.length === 4) return ip.join(".");
  const words = ipWords(ip).map((word) => word.toString(16));
  let [from, run] = [-1, 1]; // a single zero group is not shortened
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (words[at + length] === "0") length++;
    if (length > run) [from, run] = [at, length];
    at += length;
  }
  if (from < 0) return words.join(":");
  return `${words.slice(0, from).join(":")}::${words.slice(from + run).join(":")}`;
}

/** The eight groups of an IPv6 address. */
export function ipWords(ip: Ip): number[] {
  return Array.from({ length: 8 }, (_, i) => (ip[2 * i] ?? 0) * 256 + (ip[2 * i + 1] ?? 0));
}

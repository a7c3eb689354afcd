import { type Ip, ipWords, lower } from "@qmail-mysql/wire";

const MAX_LABEL = 63; // bytes; RFC 1035, 2.3.4
const MAX_NAME = 255; // bytes with the length of each label and the root
const ESCAPED = /\\([0-3][0-7]{2})/g;

/**
 * A name as ucspi-tcp prints it (dns_domain_todot_cat), as a byte string: lower case, without a final dot; every byte of
 * a label except letters, digits, - and _ as a backslash and three octal digits, so that a label cannot contain blanks,
 * colons or dots. The root is ".".
 */
export function formatName(labels: readonly string[]): string {
  if (labels.length === 0) return ".";
  return labels.map((label) => lower(label).replace(/[^a-z0-9_-]/g, octal)).join(".");
}

const octal = (byte: string) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`;

/** The labels of such a name, with or without a final dot; undefined if it cannot be a name in DNS. */
export function parseName(text: string): readonly string[] | undefined {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (text === ".") return [];
  const labels = name
    .split(".")
    .map((label) => label.replace(ESCAPED, (_, code) => String.fromCharCode(Number.parseInt(code, 8))));
  const size = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  const isValid = size <= MAX_NAME && labels.every(({ length }) => length > 0 && length <= MAX_LABEL);
  return isValid ? labels : undefined;
}

/** 1.2.0.192.in-addr.arpa, or the 32 nibbles of an IPv6 address below ip6.arpa. */
export function reverseName(ip: Ip): string {
  return `${reversed(ip)}.${ip.length === 4 ? "in-addr" : "ip6"}.arpa`;
}

/** The labels of an address in reverse order, as in blocklists. */
export function reversed(ip: Ip): string {
  if (ip.length === 4) return [...ip].reverse().join(".");
  return ipWords(ip)
    .flatMap((word) => [...word.toString(16).padStart(4, "0")])
    .reverse()
    .join(".");
}

import { expect, test } from "vitest";
import { parseProxyHeader } from "./header.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const proxied = (remote: string, rport: number, local: string, lport: number) => ({
  header: { isLocal: false, remote: { ip: remote, port: rport }, local: { ip: local, port: lport } },
});
const LOCAL = { header: { isLocal: true } };

// The examples, and the longest lines, of HAProxy's proxy-protocol.txt, 2.1.
test.each([
  ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255", 65535],
  ["PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1", 56324],
  [
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    `${"ffff:".repeat(7)}ffff`,
    65535,
  ],
  ["PROXY TCP6 2001:DB8::1 ::1 1 25\r\n", "2001:db8::1", 1],
  ["PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 25\r\n", "192.0.2.1", 1],
])("%j", (line, ip, port) => {
  expect(parseProxyHeader(line)).toMatchObject({ header: { remote: { ip, port } } });
});

test.each([
  "PROXY UNKNOWN\r\n",
  `PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
])("%j is the proxy's own connection", (line) => expect(parseProxyHeader(line)).toEqual(LOCAL));

test.each([
  "EHLO client.example\r\n",
  "\r\n\r\n\0\r\nQUIX\n0123",
  "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\n\r\n",
  "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
  "PROXY TCP4 192.0.2.1 192.0.2.2 1 25 x\r\n",
  "PROXY TCP4  192.0.2.1 192.0.2.2 1 25\r\n",
  "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
  "PROXY TCP4 192.0.2.1 192.0.2.2 01 25\r\n",
  "PROXY TCP4 192.0.2.01 192.0.2.2 1 25\r\n",
  "PROXY TCP4 2001:db8::1 2001:db8::2 1 25\r\n",
  "PROXY TCP6 192.0.2.1 192.0.2.2 1 25\r\n",
  "PROXY TCP6 2001:db8::1 192.0.2.2 1 25\r\n",
  "PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n",
  "PROXY TCP4 192.0.2.1 host.example 1 25\r\n",
  `PROXY UNKNOWN${" ".repeat(107)}`,
])("%j is invalid", (line) => expect(parseProxyHeader(line)).toHaveProperty("invalid"));

function v2(command: number, family: number, data: readonly number[]): string {
  const head = String.fromCharCode(command, family, data.length >> 8, data.length & 255);
  return SIGNATURE + head + String.fromCharCode(...data);
}
const V4 = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0, 25];
const V6 = [...[0x20, 1, 0xd, 0xb8], ...Array(11).fill(0), 1, ...Array(15).fill(0), 1, 0, 1, 0, 25];
const NOOP = [4, 0, 3, 0, 0, 0];

test.each([
  ["TCP4", v2(0x21, 0x11, V4), proxied("192.0.2.1", 56324, "192.0.2.2", 25)],
  ["TCP4 with a TLV", v2(0x21, 0x11, [...V4, ...NOOP]), proxied("192.0.2.1", 56324, "192.0.2.2", 25)],
  ["TCP6", v2(0x21, 0x21, V6), proxied("2001:db8::1", 1, "::1", 25)],
  ["LOCAL", v2(0x20, 0, []), LOCAL],
  ["LOCAL with addresses", v2(0x20, 0x11, V4), LOCAL],
  ["UNSPEC", v2(0x21, 0, NOOP), LOCAL],
])("version 2: %s", (_, bytes, header) => expect(parseProxyHeader(bytes)).toEqual(header));

test.each([
  ["version 1 in it", v2(0x11, 0x11, V4)],
  ["an unknown command", v2(0x22, 0x11, V4)],
  ["UDP", v2(0x21, 0x12, V4)],
  ["a unix socket", v2(0x21, 0x31, Array(216).fill(0))],
  ["too short", v2(0x21, 0x11, V4.slice(1))],
  ["TCP6 with the length of TCP4", v2(0x21, 0x21, V4)],
  ["too long", `${SIGNATURE}\x21\x11\xff\xff`],
])("version 2: %s is invalid", (_, bytes) => expect(parseProxyHeader(bytes)).toHaveProperty("invalid"));

test.each([
  "PROXY UNKNOWN\r\n",
  "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n",
  v2(0x21, 0x11, V4),
  v2(0x21, 0x21, [...V6, ...NOOP]),
  v2(0x20, 0, []),
])("a reader that reads what is needed reads exactly the header: %j", (header) => {
  const stream = `${header}EHLO client.example\r\n`;
  for (let at = 0; ; ) {
    const parsed = parseProxyHeader(stream.slice(0, at));
    if (!("need" in parsed)) {
      expect([parsed, at]).toEqual([parseProxyHeader(header), header.length]);
      break;
    }
    expect(parsed.need).toBeGreaterThan(0);
    at += parsed.need;
  }
});

import { isIP } from "node:net";
import { expect, test } from "vitest";
import { formatIp, parseIp } from "./ip.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  // RFC 5952
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["1:0:0:0:0:0:0:0", "1::"],
  ["::", "::"],
  ["::1", "::1"],
  ["fe80::1:2:3:4", "fe80::1:2:3:4"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"],
  // an IPv4-mapped IPv6 address is that IPv4 address
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
])("%s is %s", (text, canonical) => {
  const ip = parseIp(text);
  expect(ip && formatIp(ip)).toBe(canonical);
});

test.each([
  "",
  " 192.0.2.1",
  "192.0.2.1 ",
  "192.0.2.1\n",
  "192.0.2",
  "192.0.2.1.",
  "192.0.2.256",
  "192.0.2.01",
  "0x7f.0.0.1",
  "2130706433",
  "1.2.3.4'; DROP TABLE relay; --",
  "::ffff:192.0.2",
  "::ffff:192.0.2.1.",
  "192.0.2.1::",
  "fe80::1%eth0",
  "[::1]",
  "::1/128",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8::",
  ":1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  "12345::",
  "g::",
  "1".repeat(10_000),
])("%j is no address", (text) => expect(parseIp(text)).toBeUndefined());

test("agrees with the runtime about what is an address", () => {
  const digits = ["0", "1", "9", "f", ":", ":", ".", "255", "::"];
  let seed = 1;
  const random = (n: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: 1 + random(16) }, () => digits[random(digits.length)]).join("");
    expect([text, parseIp(text) !== undefined]).toEqual([text, isIP(text) !== 0]);
  }
});

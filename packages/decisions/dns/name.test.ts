import { parseIp } from "@qmail-mysql/wire";
import { expect, test } from "vitest";
import { formatName, parseName, reverseName } from "./name.ts";

// dns_domain_todot_cat.c of ucspi-tcp
test.each([
  [["WWW", "Example", "COM"], "www.example.com"],
  [["a b", "x.y", "_tcp", "\xff"], "a\\040b.x\\056y._tcp.\\377"],
  [["\\", "\0"], "\\134.\\000"],
  [[], "."],
])("%j is %s", (labels, text) => {
  expect(formatName(labels)).toBe(text);
  expect(parseName(text)).toEqual(labels.map((label) => label.replace(/[A-Z]/g, (c) => c.toLowerCase())));
});

test("a final dot is no label", () => expect(parseName("a.b.")).toEqual(["a", "b"]));

// RFC 1035, 2.3.4: labels of 63 bytes, names of 255 with their lengths and the root
const LABEL = "x".repeat(63);
test.each(["", "..", "a..b", ".a", `${LABEL}x`, [LABEL, LABEL, LABEL, "x".repeat(62)].join(".")])(
  "%j is no name",
  (text) => expect(parseName(text)).toBeUndefined(),
);
test.each([LABEL, [LABEL, LABEL, LABEL, "x".repeat(61)].join(".")])("%s is a name", (text) =>
  expect(parseName(text)).toBeDefined(),
);

// The example of RFC 3596, 2.5
test.each([
  ["192.0.2.1", "1.2.0.192.in-addr.arpa"],
  ["4321:0:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"],
])("the name of %s", (ip, name) => expect(reverseName(parseIp(ip) ?? [])).toBe(name));

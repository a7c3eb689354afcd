import { ControlError } from "@qmail-mysql/control";
import { expect, test } from "vitest";
import { bestName, parseCertificates, serverName } from "./index.ts";

/** A ClientHello as RFC 8446 has it, with these extensions; in records of `size` bytes. */
function hello(extensions: readonly (readonly [type: number, data: Buffer])[], size = 16_384): Buffer {
  const u16 = (n: number) => Buffer.from([n >> 8, n & 255]);
  const all = extensions.flatMap(([type, data]) => [u16(type), u16(data.length), data]);
  const list = Buffer.concat(all);
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    Buffer.from([4, 1, 2, 3, 4]),
    u16(4),
    u16(0x1301),
    u16(0xc02b),
    Buffer.from([1, 0]),
    u16(list.length),
    list,
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1]), u16(part.length), part);
  }
  return Buffer.concat(records);
}

function sni(name: string): readonly [number, Buffer] {
  const bytes = Buffer.from(name, "latin1");
  const head = Buffer.from([0, bytes.length + 3, 0, 0, bytes.length]);
  return [0, Buffer.concat([head, bytes])];
}

test("the name in a ClientHello, in one record or many, at any point of its arrival", () => {
  const other = [43, Buffer.from([2, 3, 4])] as const;
  for (const size of [16_384, 40, 1]) {
    const bytes = hello([other, sni("Mx.Example.COM"), other], size);
    for (let at = 0; at < bytes.length; at++) expect(serverName(bytes.subarray(0, at))).toBeUndefined();
    expect(serverName(bytes)).toBe("mx.example.com");
    expect(serverName(Buffer.concat([bytes, Buffer.from("more")]))).toBe("mx.example.com");
  }
});

test.each([
  ["no name", hello([])],
  ["another record", Buffer.from([21, 3, 1, 0, 2, 1, 0])],
  ["SMTP", Buffer.from("EHLO client\r\n")],
  ["another message", Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
  ["an endless message", Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])],
  ["an empty record", Buffer.from([22, 3, 1, 0, 0])],
  ["lengths beyond the end", Buffer.from([22, 3, 1, 0, 7, 1, 0, 0, 3, 3, 3, 255])],
])("%s: none", (_, bytes) => {
  expect(serverName(bytes)).toBe("");
});

test("random bytes give a name, none or a wish for more, never an error", () => {
  const bytes = hello([sni("a.example")]);
  for (let seed = 1; seed < 5000; seed++) {
    const changed = Buffer.from(bytes);
    changed[(seed * 31) % changed.length] = (seed * 131) & 255;
    const name = serverName(changed);
    expect(name === undefined || name.length <= 300).toBe(true);
  }
});

test("the same name, a wildcard for one label, the default", () => {
  const names = new Set(["a.example", "*.example", ""]);
  const best = (name: string) => bestName(name, (each) => names.has(each));
  expect(["a.example", "b.example", "a.b.example", "example", ""].map(best)).toEqual([
    "a.example",
    "*.example",
    "",
    "",
    "",
  ]);
  expect(bestName("x.example", () => false)).toBeUndefined();
});

test("control/tlscerts", () => {
  const parse = (text: string) => parseCertificates(text, "control/tlscerts", "/var/qmail");
  expect(parse("# certificates\n:control/cert.pem\n\nMx.Example : /a/chain.pem : /a/key.pem\n")).toEqual([
    { name: "", chain: "/var/qmail/control/cert.pem", key: "/var/qmail/control/cert.pem" },
    { name: "mx.example", chain: "/a/chain.pem", key: "/a/key.pem" },
  ]);
  for (const [text, why] of [
    ["name", "line 1: expected name:chain:key"],
    [":a\nb:", "line 2: expected name:chain:key"],
    ["a:b:c:d", "line 1: expected name:chain:key"],
    ["a:b\nA:c", "line 2: a is there twice"],
    [":b\n:c", "line 2: the default is there twice"],
  ] as const) {
    expect(() => parse(text)).toThrow(new ControlError(`control/tlscerts ${why}`));
  }
});

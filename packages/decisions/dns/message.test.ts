import { expect, test } from "vitest";
import type { RecordType } from "./dns.ts";
import { decodeReply, encodeQuery } from "./message.ts";

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");
const query = <T extends RecordType>(labels: readonly string[], type: T) => ({ id: 0x1234, labels, type });
const HOST = ["a", "example"];
const QNAME = "0161 07 6578616d706c65 00"; // a.example, at byte 12; example is at byte 14
const header = (flags: string, answers: number, authority = 0) =>
  `1234 ${flags} 0001 ${[answers, authority, 0].map((n) => n.toString(16).padStart(4, "0")).join("")}`;
const A = "0001 0001";

test("a query as other resolvers send it: RFC 1035, 4.1", () => {
  expect(Buffer.from(encodeQuery(query(HOST, "A"))).toString("hex")).toBe(
    hex(`1234 0100 0001 0000 0000 0000 ${QNAME} ${A}`).toString("hex"),
  );
});

test("all records of the name and the type, and the smallest TTL", () => {
  const answer = `c00c ${A} 0000003c 0004 c0000201  c00c ${A} 0000001e 0004 c0000202  c00e ${A} 00000001 0004 c0000203`;
  expect(decodeReply(hex(`${header("8180", 3)} ${QNAME} ${A} ${answer}`), query(HOST, "A"))).toEqual({
    records: ["192.0.2.1", "192.0.2.2"],
    ttl: 30,
  });
});

test("CNAMEs are followed, whatever the order and the case of the records", () => {
  const alias = "c00c 0005 0001 0000000a 0004 0162 c00e"; // b.example
  const target = "0142 0745584140504c45 00".replace("41405", "414d5"); // B.EXAMPLE
  const data = `${target} ${A} 00000064 0004 c0000209`;
  expect(decodeReply(hex(`${header("8180", 2)} ${QNAME} ${A} ${data} ${alias}`), query(HOST, "A"))).toEqual({
    records: ["192.0.2.9"],
    ttl: 10,
  });
});

test("a CNAME loop is an invalid response", () => {
  const loop = "c00c 0005 0001 0000000a 0004 0162 c00e  0162 c00e 0005 0001 0000000a 0002 c00c";
  expect(decodeReply(hex(`${header("8180", 2)} ${QNAME} ${A} ${loop}`), query(HOST, "A"))).toEqual({
    failed: "an invalid response",
  });
});

test("MX, TXT and PTR", () => {
  const mx = `${header("8180", 1)} ${QNAME} 000f 0001  c00c 000f 0001 00000005 0006 000a 016d c00e`;
  expect(decodeReply(hex(mx), query(HOST, "MX"))).toEqual({
    records: [{ preference: 10, host: "m.example" }],
    ttl: 5,
  });
  const txt = `${header("8180", 1)} ${QNAME} 0010 0001  c00c 0010 0001 00000005 0007 03 763d31 00 01 ff`;
  expect(decodeReply(hex(txt), query(HOST, "TXT"))).toEqual({ records: [["v=1", "", "\xff"]], ttl: 5 });
  const ptr = `${header("8180", 1)} ${QNAME} 000c 0001  c00c 000c 0001 00000005 0006 03 612062 c00e`;
  expect(decodeReply(hex(ptr), query(HOST, "PTR"))).toEqual({ records: ["a\\040b.example"], ttl: 5 });
});

// RFC 2308, 5: the smaller of the TTL of the SOA record and its MINIMUM
const SOA = "c00e 0006 0001 00000e10 0016 00 00 00000001 00000002 00000003 00000004 00000258";
test.each([
  ["NXDOMAIN", "8183"],
  ["NOERROR", "8180"],
])("%s without records may be cached for the time in the SOA record", (_, flags) => {
  expect(decodeReply(hex(`${header(flags, 0, 1)} ${QNAME} ${A} ${SOA}`), query(HOST, "A"))).toEqual({
    records: [],
    ttl: 600,
  });
});

test.each([
  ["no record and no SOA", `${header("8180", 0)} ${QNAME} ${A}`, { records: [], ttl: undefined }],
  ["truncated", `${header("8380", 0)} ${QNAME} ${A}`, "truncated"],
  ["SERVFAIL", `${header("8182", 0)} ${QNAME} ${A}`, { failed: "server failure" }],
  ["REFUSED", `${header("8185", 0)} ${QNAME} ${A}`, { failed: "refused" }],
  ["NOTIMP without the question", "1234 8184 0000 0000 0000 0000", { failed: "not implemented" }],
  ["a referral", `${header("8100", 0)} ${QNAME} ${A}`, { failed: "a server that is not recursive" }],
  ["another id", `${header("8180", 0).replace("1234", "1235")} ${QNAME} ${A}`, "other"],
  ["a query", `${header("0100", 0)} ${QNAME} ${A}`, "other"],
  ["another type", `${header("8180", 0)} ${QNAME} 0010 0001`, "other"],
  ["another class", `${header("8180", 0)} ${QNAME} 0001 0003`, "other"],
  ["another name", `${header("8180", 0)} 0162 07 6578616d706c65 00 ${A}`, "other"],
  ["NXDOMAIN without the question", "1234 8183 0000 0000 0000 0000", "other"],
  ["nothing", "", "other"],
  [
    "a pointer to itself",
    `${header("8180", 1)} ${QNAME} ${A} c01b ${A} 0000003c 0004 c0000201`,
    { failed: "an invalid response" },
  ],
  [
    "a pointer forward",
    `${header("8180", 1)} ${QNAME} ${A} c0ff ${A} 0000003c 0004 c0000201`,
    { failed: "an invalid response" },
  ],
  [
    "an address of five bytes",
    `${header("8180", 1)} ${QNAME} ${A} c00c ${A} 0000003c 0005 c000020101`,
    { failed: "an invalid response" },
  ],
  [
    "a record beyond the end",
    `${header("8180", 1)} ${QNAME} ${A} c00c ${A} 0000003c 0005 c0000201`,
    { failed: "an invalid response" },
  ],
  [
    "fewer records than announced",
    `${header("8180", 2)} ${QNAME} ${A} c00c ${A} 0000003c 0004 c0000201`,
    { failed: "an invalid response" },
  ],
])("%s", (_, bytes, reply) => expect(decodeReply(hex(bytes), query(HOST, "A"))).toEqual(reply));

test("any bytes are some reply, soon", () => {
  const whole = hex(
    `${header("8180", 2, 1)} ${QNAME} 0010 0001 c00c 0005 0001 0000000a 0004 0162 c00e
     0162 c00e 0010 0001 00000005 0007 03 763d31 00 01 ff ${SOA}`,
  );
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  const began = performance.now();
  for (let i = 0; i < 30_000; i++) {
    const bytes = Buffer.from(whole.subarray(0, random(8) === 0 ? random(whole.length) : whole.length));
    for (let n = random(6); n >= 0 && bytes.length > 0; n--) bytes[random(bytes.length)] = random(256);
    const reply = decodeReply(bytes, query(HOST, "TXT"));
    expect(typeof reply === "string" || "failed" in reply || Array.isArray(reply.records)).toBe(true);
  }
  // 64 KB of records that point to one long name
  const name = Buffer.concat([...Array(120).fill(hex("0161")), hex("00")]);
  const record = Buffer.concat([hex("c00c"), hex("0001 0001 0000003c 0000")]);
  const many = Math.floor((65_535 - 12 - name.length - 4) / record.length);
  const count = many.toString(16).padStart(4, "0");
  const big = Buffer.concat([
    hex(`1234 8180 0001 ${count} 0000 0000`),
    name,
    hex("0010 0001"),
    ...Array(many).fill(record),
  ]);
  expect(decodeReply(big, query(Array(120).fill("a"), "TXT"))).toMatchObject({ records: [] });
  expect(performance.now() - began).toBeLessThan(10_000);
});

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CdbError, CdbTooBig, cdbHash, cdbReader, cdbWriter } from "./index.ts";

const bytes = (s: string) => Buffer.from(s, "latin1");
const text = (b: Uint8Array | undefined) => b && Buffer.from(b).toString("latin1");

function written(records: Iterable<readonly [string | Uint8Array, string | Uint8Array]>): Buffer {
  const chunks: Buffer[] = [];
  const writer = cdbWriter((chunk) => chunks.push(Buffer.from(chunk)));
  for (const [key, data] of records) writer.add(key, data);
  const header = writer.finish();
  const file = Buffer.concat(chunks);
  file.set(header);
  return file;
}

const reader = (file: Buffer, size = file.length) =>
  cdbReader((at, length) => file.subarray(at, at + length), size);

// computed by other programs
test.each([
  ["", 5381],
  ["a", 177604],
  ["!joe\0", 0x05e43c84],
  ["!joe-", 0x05e43ca9],
  ["!", 0x0002b584],
  ["example.com", 0xe8b78f82],
  [".example.com", 0x2395694c],
  ["127.0.0.1", 0x5478120e],
  ["\xff\xfe", 0x00596064],
])("the hash of %j", (key, hash) => {
  expect([cdbHash(key), cdbHash(bytes(key))]).toEqual([hash, hash]);
});

test("no records: 2048 bytes, each table at 2048 with no slot", () => {
  const file = written([]);
  expect(file.length).toBe(2048);
  for (let table = 0; table < 256; table++) {
    expect([file.readUInt32LE(8 * table), file.readUInt32LE(8 * table + 4)]).toEqual([2048, 0]);
  }
  expect(reader(file).get("")).toBeUndefined();
});

describe("reading what was written", () => {
  const records: [string, string][] = [
    ["a", "first"],
    ["", "empty key"],
    ["a", "second"],
    ["\xff\0\n", ""],
    ["long", "x".repeat(600_000)],
    ["k".repeat(300_000), "y"],
    ...Array.from({ length: 3000 }, (_, n): [string, string] => [`key${n}`, `${n}`]),
  ];
  const file = written(records);
  test("of equal keys the first is found, and all in their order", () => {
    expect(text(reader(file).get("a"))).toBe("first");
    expect([...reader(file).all("a")].map(text)).toEqual(["first", "second"]);
  });
  test("every record is found, as bytes and as a byte string", () => {
    const cdb = reader(file);
    const first = new Map(records.toReversed());
    for (const [key, data] of first) {
      expect(text(cdb.get(key))).toBe(data);
      expect(text(cdb.get(bytes(key)))).toBe(data);
    }
    expect([cdb.get("key3000"), cdb.get("\xff"), cdb.get("A")]).toEqual([undefined, undefined, undefined]);
  });
  test("all records in the order of the file", () => {
    expect([...reader(file).records()].map(({ key, data }) => [text(key), text(data)])).toEqual(records);
  });
  test("bytes and byte strings make the same file", () => {
    expect(written(records.map(([key, data]) => [bytes(key), bytes(data)])).equals(file)).toBe(true);
  });
  test.skipIf(!existsSync("/usr/bin/cdb"))("it is the file tinycdb makes", () => {
    const source = records.map(([key, data]) => `+${key.length},${data.length}:${key}->${data}\n`).join("");
    const made = execFileSync("sh", ["-c", 'f=$(mktemp) && cdb -c "$f" && cat "$f" && rm "$f"'], {
      input: bytes(`${source}\n`),
      maxBuffer: 1 << 24,
    });
    expect(made.equals(file)).toBe(true);
  });
});

test("a file has at most 4 GiB: a record that would exceed them is refused, the earlier ones are kept", () => {
  const data = new Uint8Array(1 << 28);
  let size = 0;
  const writer = cdbWriter((chunk) => {
    size += chunk.length;
  });
  for (let n = 0; n < 15; n++) writer.add("", data);
  expect(() => writer.add("", data)).toThrow(CdbTooBig);
  // What is left: 2**32 - 1, the header, 15 records and the slots of 16; 8 of it are two lengths.
  writer.add("", data.subarray(0, 2 ** 32 - 1 - 2048 - 15 * (8 + 2 ** 28) - 16 * 16 - 8));
  expect(() => writer.add("", "")).toThrow(CdbTooBig);
  writer.finish();
  expect(size).toBe(2 ** 32 - 1);
});

describe("an invalid cdb is an error, not a hang or a result", () => {
  const good = written([
    ["a", "1"],
    ["b", "2"],
  ]);
  const broken = (change: (file: Buffer) => void) => {
    const file = Buffer.from(good);
    change(file);
    return file;
  };
  const table = 8 * (cdbHash("a") & 255);
  const slot = good.readUInt32LE(table) + 8 * ((cdbHash("a") >>> 8) % 2);
  test.each<[string, Buffer]>([
    ["no bytes", Buffer.alloc(0)],
    ["all zero", Buffer.alloc(4096)],
    ["half a header", good.subarray(0, 1000)],
    ["no tables", good.subarray(0, 2060)],
    ["one byte less", good.subarray(0, good.length - 1)],
    ["a table behind the end", broken((file) => file.writeUInt32LE(0xffffffff, table))],
    ["a table of 2**32 slots", broken((file) => file.writeUInt32LE(0xffffffff, table + 4))],
    ["a record behind the end", broken((file) => file.writeUInt32LE(0xfffffff0, slot + 4))],
    ["a record in the header", broken((file) => file.writeUInt32LE(8, slot + 4))],
    ["a key longer than the file", broken((file) => file.fill(0xff, 2048, 2052))],
    ["data longer than the file", broken((file) => file.fill(0xff, 2052, 2056))],
    ["text", bytes("joe:x:1:1\n".repeat(500))],
  ])("%s", (_, file) => {
    // "b" is in the last table of the file
    expect(() => [reader(file).get("a"), reader(file).get("b")]).toThrow(CdbError);
  });

  test("damage to a table that is not read does not matter", () => {
    const file = broken((bad) => bad.writeUInt32LE(0xffffffff, 8 * (cdbHash("b") & 255)));
    expect(text(reader(file).get("a"))).toBe("1");
    expect(() => reader(file).get("b")).toThrow(/table \d+ at 4294967295/);
    expect(() => [...reader(file).records()]).toThrow(CdbError);
  });

  test("a file that shrinks after it was opened", () => {
    const cdb = reader(good.subarray(0, 2050), good.length);
    expect(() => cdb.get("a")).toThrow(CdbError);
    expect(() => [...cdb.records()]).toThrow(CdbError);
  });

  test("a table without an empty slot ends", () => {
    const [at, second] = [good.readUInt32LE(table), 2048 + 8 + 1 + 1];
    const file = broken((file) => {
      for (const slot of [0, 8]) file.writeUInt32LE(second, at + slot + 4);
    });
    expect(reader(file).get("a")).toBeUndefined();
  });

  test("2000 files with random damage give a result or a CdbError", () => {
    let state = 1;
    const random = (n: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    const whole = written(Array.from({ length: 40 }, (_, n) => [`k${n}`, "d".repeat(n)] as const));
    for (let n = 0; n < 2000; n++) {
      const file = Buffer.from(whole);
      for (let i = 0; i <= random(6); i++) file[random(file.length)] = random(256);
      try {
        const cdb = reader(file.subarray(0, n % 3 === 0 ? random(file.length) : file.length));
        for (let k = 0; k < 40; k++) cdb.get(`k${k}`);
        for (const _ of cdb.records());
      } catch (error) {
        expect(error).toBeInstanceOf(CdbError);
      }
    }
  });
});

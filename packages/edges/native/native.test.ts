import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectBlocking } from "@qmail-mysql/socket";
import { byteString } from "@qmail-mysql/wire";
import { afterAll, describe, expect, test } from "vitest";
import { readWhole, status } from "./files.ts";
import { cString, libc, native, readWithin } from "./native.ts";

const dir = mkdtempSync(join(tmpdir(), "native-"));
afterAll(() => rmSync(dir, { recursive: true }));
const c = native();
if (!c) throw new Error("this runtime has no way to the C library: what is tested is not what is shipped");

test.each([
  "",
  "ascii",
  "\xef\xbb\xbfmark",
  "caf\xe9",
  "\xc3\xa9",
  String.fromCharCode(...Array(256).keys()),
  "\xff".repeat(50_000),
])("bytes and back: %#", (bytes) => {
  const all = cString(bytes);
  expect(all.length).toBe(bytes.length + 1);
  expect(all.at(-1)).toBe(0);
  expect(byteString(all, bytes.length)).toBe(bytes);
});

test("a file longer than a piece is read to its end", () => {
  const file = join(dir, "long-é");
  const bytes = "0123456\xff".repeat(2000);
  writeFileSync(file, bytes, "latin1");
  expect(readWhole(file)).toBe(bytes);
});

test("a failed call throws its errno", () => {
  expect(() => readWhole(join(dir, "none"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(() => readWhole(dir)).toThrow(expect.objectContaining({ code: "EISDIR" }));
  expect(() => status("/etc/passwd/none")).toThrow(expect.objectContaining({ code: "ENOTDIR" }));
  expect(() => status(999)).toThrow(expect.objectContaining({ code: "EBADF" }));
});

test("reading a silent pipe ends at the time limit", () => {
  const pipe = join(dir, "pipe");
  execFileSync("mkfifo", [pipe]);
  const fd = openSync(pipe, constants.O_RDWR);
  const began = performance.now();
  expect(() => readWithin(c, fd, new Uint8Array(10), 200)).toThrow(
    expect.objectContaining({ code: "ETIMEDOUT" }),
  );
  expect(performance.now() - began).toBeGreaterThanOrEqual(195);
  expect(performance.now() - began).toBeLessThan(2000);
  closeSync(fd);
});

describe("a socket from which nobody accepts", () => {
  test("connecting ends at the time limit", () => {
    const path = join(dir, "socket");
    const { call } = libc();
    const server = call.socket(1, 1, 0);
    const address = cString(`\x01\0${path}`);
    expect(call.bind(server, address, address.length)).toBe(0);
    expect(call.listen(server, 0)).toBe(0);
    const first = connectBlocking(path, 1);
    const began = performance.now();
    expect(() => connectBlocking(path, 1)).toThrow(expect.objectContaining({ code: "ETIMEDOUT" }));
    expect(performance.now() - began).toBeGreaterThanOrEqual(950);
    expect(performance.now() - began).toBeLessThan(3000);
    first?.close();
    closeSync(server);
  });

  test("a name that is too long, and a file that is not a socket, are errors", () => {
    expect(() => connectBlocking(`/${"x".repeat(107)}`, 1)).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG" }),
    );
    expect(() => connectBlocking(join(dir, "no-socket"), 1)).toThrow(
      expect.objectContaining({ code: "ENOENT" }),
    );
  });
});

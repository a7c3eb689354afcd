import { byteString, native, readWithin } from "@qmail-mysql/native";

/**
 * Reads a descriptor to the end, but no more than `limit` bytes and a little, as a byte string. Throws after `ms`
 * milliseconds without a byte, and with an errno. Nobody's descriptor becomes non-blocking.
 */
export async function readAllWithin(fd: number, limit: number, ms: number): Promise<string> {
  const c = native();
  if (!c) {
    // This module alone: a dynamic import of index.ts keeps all that it exports in a chunk that every program loads.
    const { timedReadAll } = await import("@qmail-mysql/socket/timed-io");
    return (await timedReadAll(fd, limit, ms)).toString("latin1");
  }
  const piece = new Uint8Array(limit + 1);
  for (let all = ""; ; ) {
    const n = readWithin(c, fd, piece, ms);
    all += byteString(piece, n);
    if (n === 0 || all.length > limit) return all;
  }
}

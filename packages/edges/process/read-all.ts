import { native, readWithin } from "@qmail-mysql/native";
import { byteString } from "@qmail-mysql/wire";

/**
 * Reads a descriptor to its end or until more than `limit` bytes were read; returns a byte string. Throws with an errno,
 * and after `ms` milliseconds without a byte. Does not make the descriptor non-blocking.
 */
export async function readAllWithin(fd: number, limit: number, ms: number): Promise<string> {
  const c = native();
  if (!c) {
    // Only this module: a dynamic import of index.ts would add all its exports to a chunk that every program loads.
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

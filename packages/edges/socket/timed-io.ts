import { read, write } from "node:fs";
import { isBun } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";

// Waits with a time limit, but without O_NONBLOCK, which would affect all processes that share the descriptor: the
// threads of the runtime make blocking calls.

/** The peer closed the connection, the network failed, or the time limit has expired. */
export class Gone extends Error {}

const PAUSE = 20; // milliseconds between tries on a descriptor that another process made non-blocking
const MAX_TIMER = 2 ** 31 - 1; // milliseconds, the maximum of a timer
const PIECE = 32768; // bytes per write; with 1200 seconds for each, the minimum is 28 bytes a second

type Done = (error: Error | null, n: number) => void;

function timed(ms: number, call: (done: Done) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(
      () => {
        over = true;
        reject(new Gone("timed out"));
      },
      Math.min(ms, MAX_TIMER),
    );
    const attempt = () => {
      if (over) return;
      call((error, n) => {
        const code = errno(error);
        if (code === "EINTR") return attempt();
        if (code === "EAGAIN") return void setTimeout(attempt, PAUSE);
        clearTimeout(timer);
        if (error) reject(Object.assign(new Gone(error.message), { code }));
        else resolve(n);
      });
    };
    attempt();
  });
}

/** Reads what is available into `buffer`; 0 at the end. Throws Gone after `ms` milliseconds without a byte. */
export function timedRead(fd: number, buffer: Buffer, ms: number): Promise<number> {
  return timed(ms, (done) => read(fd, buffer, 0, buffer.length, null, done));
}

/** Reads to the end, at most `limit` + 1 bytes. Throws Gone after `ms` milliseconds without a byte. */
export async function timedReadAll(fd: number, limit: number, ms: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit + 1);
  let total = 0;
  for (let n = -1; n !== 0 && total < buffer.length; total += n) {
    n = await timedRead(fd, buffer.subarray(total), ms);
  }
  return buffer.subarray(0, total);
}

/** Writes all of `data` (text is a byte string). Throws Gone if a piece takes longer than `ms` milliseconds. */
export async function timedWrite(fd: number, data: string | Uint8Array, ms: number): Promise<void> {
  let rest = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  while (rest.length > 0) {
    const piece = rest.subarray(0, PIECE);
    rest = rest.subarray(await timed(ms, (done) => write(fd, piece, 0, piece.length, null, done)));
  }
}

/**
 * A client on two descriptors, of which at most `atOnce` bytes are read at once: what follows them is left for another
 * program. Both throw Gone as timedRead and timedWrite.
 */
export function clientOn(input: number, output: number, atOnce: number, ms: number) {
  const buffer = Buffer.alloc(atOnce);
  return {
    read: async () => buffer.subarray(0, await timedRead(input, buffer, ms)),
    write: (data: string | Uint8Array) => timedWrite(output, data, ms),
  };
}

const QUIET = 100; // milliseconds without a byte after which the client has stopped sending
const LINGER = 1000; // milliseconds at most to read from a client that does not stop
const LINGER_BYTES = 1 << 20; // bytes at most

/**
 * Reads, for a limited time, what a client is still sending: a socket closed with unread bytes is reset, and the last
 * reply may then be lost.
 */
export async function linger(fd: number): Promise<void> {
  const buffer = Buffer.alloc(65536);
  const end = performance.now() + LINGER;
  try {
    for (let total = 0; total < LINGER_BYTES && performance.now() < end; ) {
      const n = await timedRead(fd, buffer, QUIET);
      if (n === 0) return;
      total += n;
    }
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  }
}

/**
 * Returns `code`, to exit while a call that timed out is still blocked. Node would wait for its threads: there the
 * process is replaced by a program that exits with `code`.
 */
export function leave(code: number): number {
  if (!isBun()) process.execve?.("/bin/sh", ["sh", "-c", `exit ${code}`], {});
  return code;
}

import { read, write } from "node:fs";
import { isBun } from "@qmail-mysql/native";
import { errno } from "@qmail-mysql/trouble";

// A wait with a limit and yet without O_NONBLOCK, which would be set for everybody who shares the
// descriptor: the runtime's threads make the blocking calls.

/** The other side is gone: it closed, the network failed, or it did nothing within the time. */
export class Gone extends Error {}

const PAUSE = 20; // milliseconds between tries on a descriptor somebody else made non-blocking
const MAX_TIMER = 2 ** 31 - 1; // milliseconds that a timer can count
const PIECE = 32768; // bytes per write: at 1200 seconds each, 28 bytes a second are fast enough

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

/** Reads what is there, at most `buffer` full; 0 at the end. Throws Gone after `ms` without a byte. */
export function timedRead(fd: number, buffer: Buffer, ms: number): Promise<number> {
  return timed(ms, (done) => read(fd, buffer, 0, buffer.length, null, done));
}

/** Reads to the end, but no more than `limit` bytes and a little. Throws Gone after `ms` without a byte. */
export async function timedReadAll(fd: number, limit: number, ms: number): Promise<Buffer> {
  const buffer = Buffer.alloc(limit + 1);
  let total = 0;
  for (let n = -1; n !== 0 && total < buffer.length; total += n) {
    n = await timedRead(fd, buffer.subarray(total), ms);
  }
  return buffer.subarray(0, total);
}

/** Writes all of `data` (text is a byte string). Throws Gone when a piece of it takes longer than `ms`. */
export async function timedWrite(fd: number, data: string | Uint8Array, ms: number): Promise<void> {
  let rest = typeof data === "string" ? Buffer.from(data, "latin1") : data;
  while (rest.length > 0) {
    const piece = rest.subarray(0, PIECE);
    rest = rest.subarray(await timed(ms, (done) => write(fd, piece, 0, piece.length, null, done)));
  }
}

const QUIET = 100; // milliseconds without a byte: the client waits for us
const LINGER = 1000; // milliseconds, and
const LINGER_BYTES = 1 << 20; // bytes, that we are patient with one that does not

/**
 * Takes what a client is still sending, for a moment: a socket closed with unread bytes is reset, which can
 * destroy the last reply before the client has seen it.
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
 * The way out with `code` while a call that timed out is still waiting. Node joins its threads before it
 * exits and would wait with them: there another program exits in its place.
 */
export function leave(code: number): number {
  if (!isBun()) process.execve?.("/bin/sh", ["sh", "-c", `exit ${code}`], {});
  return code;
}

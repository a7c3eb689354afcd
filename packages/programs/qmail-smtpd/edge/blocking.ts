import { type Native, readWithin } from "@qmail-mysql/native";
import { pipedQueue } from "@qmail-mysql/queue-program";
import type { Ports } from "@qmail-mysql/smtp";
import { errno } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";

const MAX_TIMER = 2 ** 31 - 1; // milliseconds, the maximum of poll(2)
const PIECE = 65536; // bytes read at a time
const WRITTEN = 2048; // bytes written at a time, which a socket takes at once after poll(2)
const POLLOUT = 4; // poll.h
const MSG_PEEK_DONTWAIT = 0x2 | 0x40; // sys/socket.h
const SIGCHLD = 17; // signal.h
const SIG_DFL = 0;

/** The client on descriptors 0 and 1, and qmail-queue, with blocking calls. */
export function blockingPorts(c: Native): Omit<Ports, "now"> {
  const piece = new Uint8Array(PIECE);
  // Inherited as ignored, no exit code of qmail-queue would be reported.
  c.raw("signal", SIGCHLD, SIG_DFL);
  return {
    read(ms) {
      try {
        return piece.subarray(0, readWithin(c, 0, piece, Math.min(ms, MAX_TIMER)));
      } catch (error) {
        return errno(error) === "ETIMEDOUT" ? "timeout" : piece.subarray(0, 0);
      }
    },
    write: (text, ms) => writeAll(c, toBuffer(text), Math.min(ms, MAX_TIMER)),
    isThere: () => isThere(c),
    openQueue: (program, environment) => pipedQueue(c, program, environment.entries()),
  };
}

function writeAll(c: Native, bytes: Uint8Array, ms: number): boolean {
  for (let at = 0; at < bytes.length; ) {
    const ready = c.raw("poll", Int32Array.of(1, POLLOUT), 1, ms);
    const part = bytes.subarray(at, at + WRITTEN);
    const n = ready > 0 ? c.raw("write", 1, part, part.length) : ready;
    if (ready === 0) return false;
    if (n >= 0) at += n;
    else if (!["EAGAIN", "EINTR"].includes(c.failure().code)) return false;
  }
  return true;
}

/** A descriptor that is not a socket cannot tell. */
function isThere(c: Native): boolean {
  const n = c.raw("recv", 0, new Uint8Array(1), 1, MSG_PEEK_DONTWAIT);
  if (n >= 0) return n > 0;
  return ["EAGAIN", "EINTR", "ENOTSOCK"].includes(c.failure().code);
}

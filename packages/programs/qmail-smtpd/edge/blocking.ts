import { type Native, readWithin } from "@qmail-mysql/native";
import { say } from "@qmail-mysql/process";
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

/** The descriptors of the client. */
export interface ClientFds {
  input: number;
  output: number;
}

/** The client, and qmail-queue, with blocking calls. `fds` change when TLS begins. */
export function blockingPorts(c: Native, fds: ClientFds): Omit<Ports, "now" | "startTls"> {
  const piece = new Uint8Array(PIECE);
  // Inherited as ignored, no exit code of qmail-queue would be reported.
  c.raw("signal", SIGCHLD, SIG_DFL);
  return {
    read(ms) {
      try {
        return piece.subarray(0, readWithin(c, fds.input, piece, Math.min(ms, MAX_TIMER)));
      } catch (error) {
        return errno(error) === "ETIMEDOUT" ? "timeout" : piece.subarray(0, 0);
      }
    },
    write: (text, ms) => writeAll(c, fds.output, toBuffer(text), Math.min(ms, MAX_TIMER)),
    isThere: () => isThere(c, fds.input),
    openQueue: (program, environment) => pipedQueue(c, program, environment.entries()),
    pause: (ms) => void c.raw("poll", null, 0, ms),
    log: (line) => say(`qmail-smtpd: ${process.pid} ${line}`),
  };
}

function writeAll(c: Native, fd: number, bytes: Uint8Array, ms: number): boolean {
  for (let at = 0; at < bytes.length; ) {
    const ready = c.raw("poll", Int32Array.of(fd, POLLOUT), 1, ms);
    const part = bytes.subarray(at, at + WRITTEN);
    const n = ready > 0 ? c.raw("write", fd, part, part.length) : ready;
    if (ready === 0) return false;
    if (n >= 0) at += n;
    else if (!["EAGAIN", "EINTR"].includes(c.failureCode())) return false;
  }
  return true;
}

/** A descriptor that is not a socket cannot tell. */
function isThere(c: Native, fd: number): boolean {
  const n = c.raw("recv", fd, new Uint8Array(1), 1, MSG_PEEK_DONTWAIT);
  if (n >= 0) return n > 0;
  return ["EAGAIN", "EINTR", "ENOTSOCK"].includes(c.failureCode());
}

import {
  AF_UNIX,
  closeFd,
  cString,
  type Native,
  native,
  readWithin,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
} from "@qmail-mysql/native";
import { errno, errorOf } from "@qmail-mysql/trouble";
import { byteString, fromText } from "@qmail-mysql/wire";
import { listenerUid } from "./trust.ts";

const SUN_PATH = 107; // bytes of a socket's path: unix(7)
const PIECE = 16_384;

/** A connection to a unix socket with blocking calls. */
export interface BlockingSocket {
  /** Sends all of a byte string. */
  send(bytes: string): void;
  /** Returns what arrives within `ms` milliseconds; "" at the end. */
  receive(ms: number): string;
  /** The uid of the process that listens at the other end. */
  readonly listener: number | undefined;
  close(): void;
}

/**
 * Connects; this, and each send, takes `seconds` at most. Undefined if the runtime only supports connectUnix. This and
 * all methods throw with an errno.
 */
export function connectBlocking(path: string, seconds: number): BlockingSocket | undefined {
  const c = native();
  if (!c) return undefined;
  let fd: number;
  try {
    fd = connectFd(c, path, SOCK_STREAM | SOCK_CLOEXEC, seconds);
  } catch (error) {
    throw late(error);
  }
  const piece = new Uint8Array(PIECE);
  return {
    listener: listenerUid(fd),
    send(bytes) {
      const all = cString(bytes);
      try {
        for (let at = 0; at < bytes.length; ) {
          at += c.call("write", fd, all.subarray(at), bytes.length - at);
        }
      } catch (error) {
        throw late(error);
      }
    },
    receive: (ms) => byteString(piece, readWithin(c, fd, piece, ms)),
    close: () => closeFd(fd),
  };
}

/** A descriptor connected to a unix socket, created with `flags`. Throws with an errno. */
export function connectFd(c: Native, path: string, flags: number, seconds = 0): number {
  const name = fromText(path);
  if (name.length > SUN_PATH) throw errorOf("ENAMETOOLONG");
  const fd = c.call("socket", AF_UNIX, flags, 0);
  try {
    c.call("setsockopt", fd, SOL_SOCKET, SO_SNDTIMEO, BigInt64Array.of(BigInt(seconds), 0n), 16);
    const address = cString(`${String.fromCharCode(AF_UNIX)}\0${name}`);
    c.call("connect", fd, address, address.length);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** EAGAIN means that SO_SNDTIMEO has expired: socket(7). */
function late(error: unknown): unknown {
  return errno(error) === "EAGAIN" ? errorOf("ETIMEDOUT") : error;
}

import { closeSync, readdirSync } from "node:fs";
import { Trouble } from "@qmail-mysql/trouble";
import { libc } from "./native.ts";
import {
  AF_UNIX,
  F_SETFD,
  FD_CLOEXEC,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  O_CLOEXEC,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./socket-constants.ts";

const CMSG_HEADER = 16; // bytes of struct cmsghdr
const MOST = 2; // descriptors per packet
const CMSG_SPACE = CMSG_HEADER + 4 * MOST;
const CONTROL_LENGTH = 5; // index of msg_controllen in struct msghdr
const RETRY = ["EAGAIN", "EINTR"];

/** Calls that no runtime offers: to create and duplicate descriptors and to pass them to another process. Bun only. */
export interface Descriptors {
  /** A pair of sockets for packets with descriptors. */
  pair(): readonly [number, number];
  /** A pair of sockets for a stream of bytes. */
  streamPair(): readonly [number, number];
  close(fd: number): void;
  /** A pipe, its read end and its write end. Unlike the runtime's own "pipe" it can be opened as /dev/stdout. */
  pipe(): readonly [number, number];
  dup2(from: number, to: number): void;
  /** Sets close-on-exec for all descriptors above 2. */
  setCloseOnExec(): void;
  /** Sends a non-empty packet with up to two descriptors. False if the other end is closed or it does not fit now. */
  send(socket: number, packet: Buffer, fds: readonly number[]): boolean;
  /** Waits for a packet; undefined if the other end is closed. */
  receive(socket: number, into: Buffer): Packet | undefined;
  /** The next packet if there is one now; "none", or undefined if the other end is closed. */
  poll(socket: number, into: Buffer): Packet | "none" | undefined;
}

/** A packet that was received: its bytes are in the buffer. */
export interface Packet {
  readonly length: number;
  readonly fds: readonly number[];
}

export function openDescriptors(): Descriptors {
  const { call, address: addressOf, failureCode, prepare } = libc();
  prepare("socketpair", "pipe2", "dup2", "fcntl", "sendmsg", "recvmsg"); // once, before any fork
  const two = (what: string, make: (at: Int32Array) => number): readonly [number, number] => {
    const fds = new Int32Array(2);
    if (make(fds) !== 0) throw new Trouble(`unable to create ${what}`);
    return [fds[0] ?? -1, fds[1] ?? -1];
  };
  // One struct msghdr with one buffer and one control message, reused for every packet.
  const address = (view: ArrayBufferView) => BigInt(addressOf(view));
  // With explicit ArrayBuffers: the runtime moves the bytes of a small typed array when its buffer is first accessed.
  const control = Buffer.from(new ArrayBuffer(CMSG_SPACE));
  const iov = new BigUint64Array(new ArrayBuffer(16));
  const msg = new BigUint64Array(new ArrayBuffer(56));
  msg.set([0n, 0n, address(iov), 1n, address(control)]);
  const header = (packet: Buffer, length: number) => {
    iov[0] = packet.length === 0 ? 0n : address(packet);
    iov[1] = BigInt(packet.length);
    msg[CONTROL_LENGTH] = BigInt(length);
    return msg;
  };
  const received = () => {
    const fds: number[] = [];
    const end = Number(msg[CONTROL_LENGTH]) === 0 ? 0 : Number(control.readBigUInt64LE(0));
    for (let at = CMSG_HEADER; at + 4 <= end; at += 4) fds.push(control.readInt32LE(at));
    return fds;
  };
  return {
    pair: () => two("a socket pair", (at) => call.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, at)),
    streamPair: () =>
      two("a socket pair", (at) => call.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, at)),
    close: (fd) => void call.close(fd),
    pipe: () => two("a pipe", (at) => call.pipe2(at, O_CLOEXEC)),
    dup2(from, to) {
      if (call.dup2(from, to) !== to) throw new Trouble(`unable to make descriptor ${to} of ${from}`);
    },
    setCloseOnExec() {
      for (const fd of readdirSync("/proc/self/fd").map(Number)) {
        if (fd > 2) call.fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
    },
    send(socket, packet, fds) {
      const length = fds.length === 0 ? 0 : CMSG_HEADER + 4 * fds.length;
      control.writeBigUInt64LE(BigInt(length), 0);
      control.writeInt32LE(SOL_SOCKET, 8);
      control.writeInt32LE(SCM_RIGHTS, 12);
      for (const [i, fd] of fds.entries()) control.writeInt32LE(fd, CMSG_HEADER + 4 * i);
      return call.sendmsg(socket, header(packet, length), MSG_NOSIGNAL | MSG_DONTWAIT) === packet.length;
    },
    receive(socket, into) {
      const length = call.recvmsg(socket, header(into, CMSG_SPACE), MSG_CMSG_CLOEXEC);
      return length > 0 ? { length, fds: received() } : undefined;
    },
    poll(socket, into) {
      const length = call.recvmsg(socket, header(into, CMSG_SPACE), MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
      if (length > 0) return { length, fds: received() };
      return length < 0 && RETRY.includes(failureCode()) ? "none" : undefined;
    },
  };
}

/** Closes a descriptor that may already be closed. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // already closed
  }
}

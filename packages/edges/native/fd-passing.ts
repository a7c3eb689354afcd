import { closeSync, readdirSync } from "node:fs";
import { Trouble } from "@qmail-mysql/trouble";
import { libc } from "./native.ts";

// Linux and the C library's ABI on 64-bit machines: sys/socket.h
const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const CMSG_LEN = 20n; // a header and one descriptor
const CMSG_SPACE = 24;
const CONTROL_LENGTH = 5; // its place in struct msghdr

/** What no runtime offers: descriptors made, copied and handed to another process. Bun only. */
export interface Descriptors {
  /** Two ends that pass packets, each with a descriptor if wanted. */
  pair(): readonly [number, number];
  /** A pipe, which unlike the runtime's own "pipe" can be opened as /dev/stdout: its read end and its write end. */
  pipe(): readonly [number, number];
  dup2(from: number, to: number): void;
  /** Sees to it that a program we become gets no descriptor but 0 to 2. */
  keepToOurselves(): void;
  /** False when the other end is gone, or the packet does not fit. */
  send(socket: number, packet: Buffer, fd: number): boolean;
  /** Waits for a packet; undefined when the other end is gone. */
  receive(
    socket: number,
    into: Buffer,
  ): { readonly length: number; readonly fd: number | undefined } | undefined;
}

export function openDescriptors(): Descriptors {
  const { call, address: addressOf } = libc();
  const two = (what: string, make: (at: Int32Array) => number): readonly [number, number] => {
    const fds = new Int32Array(2);
    if (make(fds) !== 0) throw new Trouble(`unable to create ${what}`);
    return [fds[0] ?? -1, fds[1] ?? -1];
  };
  // One struct msghdr over one buffer and one control message, used again for every packet.
  const address = (view: ArrayBufferView) => BigInt(addressOf(view));
  // Over buffers of their own: the runtime moves a small array's bytes when it later makes it a buffer.
  const control = Buffer.from(new ArrayBuffer(CMSG_SPACE));
  const iov = new BigUint64Array(new ArrayBuffer(16));
  const msg = new BigUint64Array(new ArrayBuffer(56));
  msg.set([0n, 0n, address(iov), 1n, address(control)]);
  const header = (packet: Buffer) => {
    iov[0] = packet.length === 0 ? 0n : address(packet);
    iov[1] = BigInt(packet.length);
    msg[CONTROL_LENGTH] = BigInt(CMSG_SPACE);
    return msg;
  };
  return {
    pair: () => two("a socket pair", (at) => call.socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, at)),
    pipe: () => two("a pipe", (at) => call.pipe2(at, O_CLOEXEC)),
    dup2(from, to) {
      if (call.dup2(from, to) !== to) throw new Trouble(`unable to make descriptor ${to} of ${from}`);
    },
    keepToOurselves() {
      for (const fd of readdirSync("/proc/self/fd").map(Number)) {
        if (fd > 2) call.fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
    },
    send(socket, packet, fd) {
      control.writeBigUInt64LE(CMSG_LEN, 0);
      control.writeInt32LE(SOL_SOCKET, 8);
      control.writeInt32LE(SCM_RIGHTS, 12);
      control.writeInt32LE(fd, 16);
      return call.sendmsg(socket, header(packet), MSG_NOSIGNAL) === packet.length;
    },
    receive(socket, into) {
      const length = call.recvmsg(socket, header(into), MSG_CMSG_CLOEXEC);
      if (length <= 0) return undefined;
      const passed = (msg[CONTROL_LENGTH] ?? 0n) >= CMSG_LEN;
      return { length, fd: passed ? control.readInt32LE(16) : undefined };
    },
  };
}

/** Closes what may be closed already. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // it is
  }
}

import type { Endpoint } from "@qmail-mysql/connection";
import {
  AF_INET,
  AF_INET6,
  IP_OPTIONS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  libc,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
} from "@qmail-mysql/native";
import { POLL_INTERVAL, whenReady } from "@qmail-mysql/socket";
import { byteString, formatIp, type Ip, ipOf } from "@qmail-mysql/wire";
import { endedChildren, spawner } from "./spawn.ts";
import type { TcpListener, TcpSystem } from "./tcp-system.ts";

const POLLIN = 1;
const SOCKADDR_SIZE = 28; // sockaddr_in6; sockaddr_in is 16

/** TCP by the C library. Throws Trouble if that cannot be called. */
export function nativeTcp(): TcpSystem {
  const { call } = libc();
  return {
    listen: async (ip, port, backlog) => listenTcp(ip, port, backlog),
    spawner,
    watchChildren(onEnd) {
      const reap = () => {
        for (const { pid, status } of endedChildren()) onEnd(pid, status);
      };
      process.on("SIGCHLD", reap);
      setInterval(reap, POLL_INTERVAL);
    },
    killIpOptions: (fd) => void call.setsockopt(fd, IPPROTO_IP, IP_OPTIONS, null, 0),
    setNoDelay: (fd) => void call.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, new Int32Array([1]), 4),
    receive,
    close: (fd) => void call.close(fd),
  };
}

/** The descriptor stays blocking, as the program expects it: read(2) is called only when it returns at once. */
function receive(fd: number, most: number): string | undefined {
  const { call, failure } = libc();
  const poll = Int32Array.of(fd, POLLIN); // struct pollfd: the events, then what occurred, in 16 bits each
  if (call.poll(poll, 1, 0) !== 1) return undefined;
  const bytes = new Uint8Array(most);
  const n = call.read(fd, bytes, most);
  if (n < 0) throw failure();
  return byteString(bytes, n);
}

function listenTcp(ip: Ip, port: number, backlog: number): TcpListener {
  const { call, failure } = libc();
  const isV6 = ip.length === 16;
  const fd = call.socket(isV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw failure();
  const check = (result: number) => {
    if (result === 0) return;
    const error = failure();
    call.close(fd);
    throw error;
  };
  const on = new Int32Array([1]);
  call.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, 4);
  if (isV6) call.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on, 4);
  const address = sockaddr(ip, port);
  check(call.bind(fd, address, address.length));
  check(call.listen(fd, backlog));

  const peer = new Uint8Array(SOCKADDR_SIZE);
  const own = new Uint8Array(SOCKADDR_SIZE);
  const length = new Int32Array(1);
  const localName = (socket: number): Endpoint => {
    length[0] = SOCKADDR_SIZE;
    if (call.getsockname(socket, own, length) !== 0) throw failure();
    return endpoint(own);
  };
  let unwatch = () => {};
  return {
    port: localName(fd).port,
    watch(onConnection) {
      unwatch = whenReady(fd, onConnection);
    },
    accept() {
      length[0] = SOCKADDR_SIZE;
      const socket = call.accept4(fd, peer, length, SOCK_CLOEXEC);
      if (socket < 0) return undefined;
      return { fd: socket, remote: endpoint(peer), local: localName(socket) };
    },
    close() {
      unwatch();
      call.close(fd);
    },
  };
}

function sockaddr(ip: Ip, port: number): Uint8Array {
  const isV4 = ip.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : SOCKADDR_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(ip, isV4 ? 4 : 8);
  return bytes;
}

/** The address written by the kernel. */
function endpoint(bytes: Uint8Array): Endpoint {
  const view = new DataView(bytes.buffer);
  const isV4 = view.getUint16(0, true) === AF_INET;
  return { ip: formatIp(ipOf(isV4 ? bytes.subarray(4, 8) : bytes.subarray(8, 24))), port: view.getUint16(2) };
}

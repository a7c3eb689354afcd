// Linux and the C library's ABI on 64-bit machines: sys/socket.h, netinet/in.h, netinet/tcp.h, fcntl.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_SEQPACKET = 5;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_PEERCRED = 17;
export const SO_SNDTIMEO = 21;
export const IPPROTO_IP = 0;
export const IP_OPTIONS = 4;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

export const SCM_RIGHTS = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

export const F_SETFD = 2;
export const FD_CLOEXEC = 1;
export const F_SETFL = 4;
export const F_SETOWN = 8;
export const O_NONBLOCK = 0o4000;
export const O_ASYNC = 0o20000;
export const O_CLOEXEC = 0o2000000;

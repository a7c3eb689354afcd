import type { Endpoint } from "@qmail-mysql/connection";
import type { Ip } from "@qmail-mysql/wire";

/** An accepted connection; `fd` has to be closed by the caller. */
export interface Accepted {
  readonly fd: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

/** A listening socket. */
export interface TcpListener {
  readonly port: number;
  /** Calls back when a client has connected. */
  watch(onConnection: () => void): void;
  /** The oldest waiting connection; undefined if none. */
  accept(): Accepted | undefined;
  close(): void;
}

/** Starts a child and returns its pid. Throws an error with the errno of the exec that failed. */
export type Spawn = (env: readonly string[], fd: number) => number;

/** What serves the connections; a name stands for one connection in log lines, for a child its pid. */
export interface Programs {
  /** Would a connection be served now? */
  isReady(): boolean;
  /** Starts to serve a connection with an environment (NAME=value). Throws or rejects with the reason. */
  start(env: readonly string[], fd: number): number | Promise<string>;
  /** Calls back with the name and raw wait status of all that end, and when isReady may have become true. */
  watch(onEnd: (name: number | string, status: number) => void, onReady: () => void): void;
}

/** The system calls of a server with one child per connection. */
export interface TcpSystem {
  /** Listens on an address, all zeros for every one of its version. Rejects with an errno. */
  listen(ip: Ip, port: number, backlog: number): Promise<TcpListener>;
  /**
   * Returns a function that starts `argv` with an environment (NAME=value) and a descriptor for 0 and 1; 2 is shared,
   * others are not inherited. Signals have their default actions. `program` is the file, if it is not argv[0].
   */
  spawner(argv: readonly string[], program?: string): Spawn;
  /** Calls back with pid and raw wait status of every child that ends. */
  watchChildren(onEnd: (pid: number, status: number) => void): void;
  /** Removes the IP options set by the peer: with a source route our packets would be sent to another host. */
  killIpOptions(fd: number): void;
  /** Disables the delay of small writes. */
  setNoDelay(fd: number): void;
  /** At most `most` bytes that have arrived, as a byte string: "" at the end, undefined if nothing has arrived yet. */
  receive(fd: number, most: number): string | undefined;
  /** Closes our descriptor of a connection; that of a child stays open. */
  close(fd: number): void;
}

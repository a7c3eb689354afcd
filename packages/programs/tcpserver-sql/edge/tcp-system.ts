import type { Ip } from "@qmail-mysql/wire";

/** One end of a connection. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** A connection taken from a listener; `fd` is ours until closed. */
export interface Accepted {
  readonly fd: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

/** A listening socket. */
export interface TcpListener {
  readonly port: number;
  /** Calls back when somebody has connected. */
  watch(onConnection: () => void): void;
  /** The connection that waits longest; undefined when none waits. */
  accept(): Accepted | undefined;
  close(): void;
}

/** Starts a child and returns its pid. Throws an error with the errno of the exec that failed. */
export type Spawn = (env: readonly string[], fd: number) => number;

/** What a server of one child per connection asks of the system. */
export interface TcpSystem {
  /** Listens on an address, all zeros for every one of its version. Rejects with an errno. */
  listen(ip: Ip, port: number, backlog: number): Promise<TcpListener>;
  /**
   * How to start `argv` again and again, each with an environment of its own (NAME=value) and one descriptor
   * for its 0 and 1; 2 is ours, everything else stays here. Signals are at their defaults.
   */
  spawner(argv: readonly string[]): Spawn;
  /** Calls back with pid and raw wait status of every child that ends. */
  watchChildren(onEnd: (pid: number, status: number) => void): void;
  /** Removes the IP options a peer has set: a source route would send our packets to another host. */
  killIpOptions(fd: number): void;
  /** Sends small writes at once. */
  setNoDelay(fd: number): void;
  /** Closes our copy of a connection; a child's stays open. */
  close(fd: number): void;
}

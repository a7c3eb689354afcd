import type { Environment, Ports, Settings } from "@qmail-mysql/smtp";

/** Settings of a session; `more` replaces some. */
export const smtpSettings = (more: Partial<Settings> = {}): Settings => ({
  greeting: "mx.example",
  localIpHost: undefined,
  timeout: 1000,
  rcptHosts: new Set(["ours.example"]),
  isInMoreRcptHosts: () => false,
  badMailFrom: new Set(),
  dataBytes: 0,
  refusesStray: true,
  isLocalIp: () => false,
  ...more,
});

/** A client and a qmail-queue in memory. */
export interface MemoryPorts {
  readonly ports: Ports;
  /** What the client sends next, byte strings. */
  send(pieces: readonly string[]): void;
  /** Adds to what the client sees. */
  show(text: string): void;
  /** The lines that the client has received. */
  replies(): string[];
  /** The envelope, with | for NUL, and the message of each that was queued. */
  readonly queued: string[];
  /** The environment of qmail-queue for each of them. */
  readonly environments: (readonly string[])[];
}

/** Ports of a client that sends these pieces, and is there to the end; `more` replaces some. */
export function memoryPorts(pieces: readonly string[], more: Partial<Ports> = {}): MemoryPorts {
  let rest: Buffer[] = [];
  let replies = "";
  const queued: string[] = [];
  const environments: (readonly string[])[] = [];
  const send = (next: readonly string[]) => {
    rest = next.map((piece) => Buffer.from(piece, "latin1"));
  };
  send(pieces);
  const openQueue = (_: string, environment: Environment) => {
    let message = "";
    return {
      put(bytes: Uint8Array) {
        message += Buffer.from(bytes).toString("latin1");
        return true;
      },
      close(envelope: string) {
        if (envelope === "") return { pid: 1, code: 54, custom: "", isComplete: true };
        queued.push(envelope.replaceAll("\0", "|") + message);
        environments.push([...environment.entries()]);
        return { pid: 1, code: 0, custom: "", isComplete: true };
      },
      abandon: () => {},
    };
  };
  const ports: Ports = {
    now: () => 1_500_000_000_000,
    read: () => rest.shift() ?? Buffer.alloc(0),
    write(text) {
      replies += text;
      return true;
    },
    isThere: () => true,
    pause: () => {},
    log: () => {},
    openQueue,
    ...more,
  };
  return {
    ports,
    send,
    show(text) {
      replies += text;
    },
    replies: () => replies.split("\r\n").slice(0, -1),
    queued,
    environments,
  };
}

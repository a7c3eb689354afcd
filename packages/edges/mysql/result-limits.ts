import type { Connection } from "mysql2";

// Limits of one result, or of one row if rows are processed one by one. The longest result of any statement is the
// netblocks of a relay table: 100,000 rows of 60 bytes.
const MAX_BYTES = 16 << 20;
const MAX_PACKETS = 120_000;

/** The parts of mysql2's connection through which all data of a server passes, whatever the stream. */
interface Inside {
  packetParser: { execute: (this: unknown, chunk: Buffer) => unknown };
  handlePacket(packet?: unknown): void;
}

interface Counts {
  bytes: number;
  packets: number;
}

const counts = new WeakMap<object, Counts>();

/** Starts to count the next result. */
export function beginResult(connection: Connection): void {
  counts.set(connection, { bytes: 0, packets: 0 });
}

/**
 * Breaks the connection to a server that sends a result above the limits: the driver itself would store all of it. The
 * handshake counts as a result.
 */
export function limitResults(connection: Connection): void {
  beginResult(connection);
  const count = (what: keyof Counts, n: number, max: number): boolean => {
    const all = counts.get(connection);
    if (!all) return false;
    all[what] += n;
    if (all[what] <= max) return true;
    if (all[what] - n <= max) {
      const why = `its result has more than ${max} ${what}`;
      connection.emit("error", Object.assign(new Error(why), { fatal: true }));
      connection.destroy();
    }
    return false;
  };
  const inside = connection as unknown as Inside;
  const { packetParser } = inside;
  const handlePacket = inside.handlePacket.bind(connection);
  inside.handlePacket = (packet) => {
    if (packet === undefined || count("packets", 1, MAX_PACKETS)) handlePacket(packet);
  };
  // The parser assigns the function for its state to this property.
  let { execute } = packetParser;
  Object.defineProperty(packetParser, "execute", {
    get: () => bounded,
    set: (state) => {
      execute = state;
    },
  });
  const bounded = (chunk: Buffer) =>
    count("bytes", chunk.length, MAX_BYTES) ? execute.call(packetParser, chunk) : undefined;
}

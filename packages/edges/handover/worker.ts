import { closeQuietly, openDescriptors } from "@qmail-mysql/native";
import { inTurns, whenReady } from "@qmail-mysql/socket";
import { OK, SOFT, Trouble } from "@qmail-mysql/trouble";
import { toBuffer } from "@qmail-mysql/wire";
import { type Certificate, decodeOrder, type Ended, encodeEnds, HEARTBEAT, PACKET_LIMIT } from "./packets.ts";

const ORDERS = 0; // the descriptor

/** A connection handed over by tcpserver-sql, and its environment: NAME=value, byte strings. */
export interface Handed {
  readonly fd: number;
  readonly env: readonly string[];
}

/** Serves a connection and closes it; resolves to the exit code that a program that had served it would have had. */
export type ServeConnection = (connection: Handed) => Promise<number>;

/**
 * Serves the connections that tcpserver-sql hands over, until it has ended and all of them are closed. `certify` gets
 * the TLS certificates, again whenever they change; `attach` gets the socket to the monitor. Throws Trouble.
 */
export async function serveHanded(
  serve: ServeConnection,
  certify: (certificates: readonly Certificate[]) => void = () => {},
  attach: (monitor: number) => void = closeQuietly,
): Promise<number> {
  if (process.geteuid?.() === 0) throw new Trouble("unable to serve connections as root: not allowed");
  // The end of tcpserver-sql ends it, after its connections; signals for a group of processes are for tcpserver-sql.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => {});
  const descriptors = openDescriptors();
  const packet = Buffer.alloc(PACKET_LIMIT + 1);
  const certificates: Certificate[] = [];
  const ends: Ended[] = [];
  let open = 0;
  let isClosed = false;
  let over = () => {};

  /** Reports are sent together, and after the rest of the event loop: the parent is not delayed by each. */
  const report = inTurns(() => {
    if (ends.length === 0) return false;
    const some = ends.splice(0, 1000);
    if (isClosed || descriptors.send(ORDERS, toBuffer(encodeEnds(some)), [])) return true;
    ends.unshift(...some);
    setTimeout(report, 10);
    return false;
  });
  const begin = async (id: number, connection: Handed) => {
    open++;
    const code = await serve(connection).catch(() => SOFT);
    open--;
    ends.push({ id, code });
    report();
    if (isClosed && open === 0) over();
  };
  const take = inTurns(() => {
    if (isClosed) return false;
    const got = descriptors.poll(ORDERS, packet);
    if (got === "none") return false;
    if (!got) {
      isClosed = true;
      if (open === 0) over();
      return false;
    }
    const order = decodeOrder(packet.toString("latin1", 0, got.length));
    const [fd] = got.fds;
    if (order?.kind === "connection" && fd !== undefined) void begin(order.id, { fd, env: order.env });
    else if (order?.kind === "connection") {
      ends.push({ id: order.id, code: SOFT }); // the limit on descriptors is reached
      report();
    } else if (order?.kind === "monitor" && fd !== undefined) attach(fd);
    else {
      got.fds.forEach(closeQuietly);
      if (order?.kind === "certificate") certificates.push(order.certificate);
      if (order?.kind === "certificate" && order.isLast) certify(certificates.splice(0));
    }
    return true;
  });

  const unwatch = whenReady(ORDERS, take);
  const beat = () => isClosed || descriptors.send(ORDERS, toBuffer(encodeEnds([])), []);
  const heart = setInterval(beat, HEARTBEAT);
  beat();
  take();
  await new Promise<void>((resolve) => {
    over = resolve;
  });
  clearInterval(heart);
  unwatch();
  return OK;
}

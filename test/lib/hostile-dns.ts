import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import { createServer } from "node:net";

/** A name server with responses chosen by a test. */
export interface HostileDns {
  readonly port: number;
  /** The queries received by UDP, and where from. */
  readonly queries: { readonly id: number; readonly port: number; readonly name: string }[];
  /** Replaces what it does. */
  behave(
    udp: (query: Buffer, from: RemoteInfo, socket: Socket) => void,
    tcp?: (socket: TcpSocket) => void,
  ): void;
  close(): void;
}

/** Listens on 127.0.0.1, UDP and TCP at the same port. */
export async function startHostileDns(): Promise<HostileDns> {
  let udp: (query: Buffer, from: RemoteInfo, socket: Socket) => void = () => {};
  let tcp: (socket: TcpSocket) => void = (socket) => socket.destroy();
  const queries: HostileDns["queries"] = [];
  const open = new Set<TcpSocket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    tcp(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const socket = createSocket("udp4").on("error", () => {}); // a client that is gone
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", resolve));
  socket.on("message", (query, from) => {
    queries.push({ id: query.readUInt16BE(0), port: from.port, name: nameOf(query) });
    udp(query, from, socket);
  });
  return {
    port,
    queries,
    behave(newUdp, newTcp = tcp) {
      [udp, tcp] = [newUdp, newTcp];
      queries.length = 0;
    },
    close() {
      socket.close();
      server.close();
      for (const one of open) one.destroy();
    },
  };
}

function nameOf(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at]; at += 1 + (query[at] ?? 0)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + (query[at] ?? 0)));
  }
  return labels.join(".");
}

/** The response to a query with these A records, other flags or another TTL. */
export function responseTo(
  query: Buffer,
  addresses: readonly string[],
  { flags = 0x8180, ttl = 60, id = -1 } = {},
): Buffer {
  const question = query.subarray(12);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id < 0 ? query.readUInt16BE(0) : id, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const record = Buffer.from("c00c00010001000000000004", "hex");
    record.writeUInt32BE(ttl, 6);
    return Buffer.concat([record, Buffer.from(address.split(".").map(Number))]);
  });
  return Buffer.concat([header, question, ...records]);
}

/** A message as it is sent by TCP. */
export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message]);
}

import { createServer, type Server, type Socket } from "node:net";

// A server with enough of MySQL's protocol for a login, which then sends invalid data.

/** Its behaviour; each member replaces that of a real server. */
export interface Lies {
  /** After the login: packets without headers. Called again as long as the client reads them. */
  readonly onLogin?: (send: Send) => void;
  /** Instead of the rows of a statement. */
  readonly onExecute?: (send: Send, columns: readonly string[]) => void;
  /** Rows of every statement, by column. */
  readonly row?: Readonly<Record<string, string>>;
}

export interface Send {
  packet(...payload: (number[] | Buffer | string)[]): void;
  /** The same packets repeatedly, until the client closes the connection. */
  flood(payload: Buffer): void;
  /** A packet whose header announces more than is sent. */
  endless(): void;
  /** Settles with the client's next packet, without its header. */
  next(): Promise<Buffer>;
}

export interface FakeMysql {
  /** Number of bytes sent. */
  sent(): number;
  /** Everything that clients sent after their greeting, joined. */
  received(): Buffer;
  connections(): number;
  readonly port: number;
  close(): Promise<void>;
}

const SCRAMBLE = "abcdefgh12345678ijkl";
const OK = [0, 0, 0, 2, 0, 0, 0];
const EOF = [0xfe, 0, 0, 2, 0];
const u16 = (n: number) => [n & 255, n >> 8];
const greeting = Buffer.concat([
  Buffer.from([10]),
  Buffer.from("8.0.30\0"),
  Buffer.from([1, 0, 0, 0]),
  Buffer.from(SCRAMBLE.slice(0, 8)),
  Buffer.from([0, 0x09, 0xa2, 45, 2, 0, 0x08, 0, 21]), // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, ...
  Buffer.alloc(10),
  Buffer.from(`${SCRAMBLE.slice(8)}\0mysql_native_password\0`),
]);
const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([
    Buffer.from(bytes.length < 251 ? [bytes.length] : [0xfc, ...u16(bytes.length)]),
    bytes,
  ]);
};
/** A column of text. */
export const column = (name: string) =>
  Buffer.concat([
    ...["def", "", "", "", name, name].map(text),
    Buffer.from([0x0c, 45, 0, 255, 255, 0, 0, 0xfd, 0, 0, 0, 0, 0]),
  ]);
/** A row of the binary protocol. */
export const binaryRow = (values: readonly string[]) =>
  Buffer.concat([Buffer.alloc(1 + Math.floor((values.length + 9) / 8)), ...values.map(text)]);
export const authSwitch = (plugin: string) => Buffer.from(`\xfe${plugin}\0${SCRAMBLE}\0`, "latin1");

/** Listens on a port of loopback, or at the path of a socket. */
export async function startFakeMysql(lies: Lies, path?: string): Promise<FakeMysql> {
  let sent = 0;
  let connections = 0;
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    converse(socket);
  });

  function converse(socket: Socket): void {
    let sequence = 0;
    let unread = Buffer.alloc(0);
    let columns: string[] = [];
    let state: "login" | "commands" = "login";
    const waiting: ((packet: Buffer) => void)[] = [];
    const write = (bytes: Buffer) => {
      sent += bytes.length;
      return socket.write(bytes);
    };
    const pump = (bytes: Buffer) => {
      if (socket.destroyed) return;
      while (write(bytes)) if (socket.destroyed) return;
      socket.once("drain", () => pump(bytes));
    };
    const framed = (payload: Buffer) =>
      Buffer.concat([
        Buffer.from([
          payload.length & 255,
          (payload.length >> 8) & 255,
          payload.length >> 16,
          sequence++ & 255,
        ]),
        payload,
      ]);
    const send: Send = {
      packet: (...payload) =>
        write(framed(Buffer.concat(payload.map((part) => Buffer.from(part as string, "latin1"))))),
      flood: (payload) => {
        const all = Buffer.concat(Array.from({ length: 256 }, () => framed(payload)));
        pump(all);
      },
      endless: () => {
        write(Buffer.from([255, 255, 255, sequence++]));
        const body = Buffer.alloc(16777215, "x");
        pump(Buffer.concat([body, Buffer.from([255, 255, 255, sequence & 255])]));
      },
      next: () => new Promise((resolve) => waiting.push(resolve)),
    };
    const onCommand = (packet: Buffer) => {
      sequence = 1;
      const sql = packet.subarray(1).toString("latin1");
      if (packet[0] === 0x16) {
        columns = (/^\s*SELECT (?:DISTINCT )?(.*?)\s+FROM/s.exec(sql)?.[1] ?? "x")
          .split(",")
          .map((c) => c.trim());
        const parameters = sql.split("?").length - 1;
        send.packet([0, 1, 0, 0, 0, ...u16(columns.length), ...u16(parameters), 0, 0, 0]);
        for (let i = 0; i < parameters; i++) send.packet(column("?"));
        if (parameters > 0) send.packet(EOF);
        for (const name of columns) send.packet(column(name));
        send.packet(EOF);
      } else if (packet[0] === 0x17) {
        if (lies.onExecute) return lies.onExecute(send, columns);
        send.packet([columns.length]);
        for (const name of columns) send.packet(column(name));
        send.packet(EOF);
        if (lies.row)
          send.packet(binaryRow(columns.map((name) => lies.row?.[name.replaceAll("`", "")] ?? "")));
        send.packet(EOF);
      } else if (packet[0] === 0x03) send.packet(OK);
    };
    const onPacket = (packet: Buffer) => {
      const waiter = waiting.shift();
      if (waiter) return waiter(packet);
      if (state === "commands") return onCommand(packet);
      state = "commands";
      if (lies.onLogin) lies.onLogin(send);
      else send.packet(OK);
    };
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      unread = Buffer.concat([unread, chunk]);
      for (;;) {
        const length = unread.length >= 4 ? unread.readUIntLE(0, 3) : Number.NaN;
        if (!(unread.length >= 4 + length)) return;
        sequence = (unread[3] ?? 0) + 1;
        const packet = unread.subarray(4, 4 + length);
        unread = unread.subarray(4 + length);
        onPacket(packet);
      }
    });
    send.packet(greeting);
  }

  await new Promise<void>((resolve) =>
    path ? server.listen(path, resolve) : server.listen(0, "127.0.0.1", resolve),
  );
  const address = server.address();
  return {
    sent: () => sent,
    received: () => Buffer.concat(chunks),
    connections: () => connections,
    port: typeof address === "object" && address ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

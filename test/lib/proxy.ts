import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy for a database, which can delay and break connections. */
export interface Proxy {
  readonly port: number;
  /** The delay of every answer, in milliseconds. */
  delay(ms: number): void;
  /** Breaks every connection and refuses new ones, like a server that has stopped. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Connections made so far. */
  count(): number;
  close(): Promise<void>;
}

export async function startProxy(target: number): Promise<Proxy> {
  let late = 0;
  let count = 0;
  let port = 0;
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  const up = () =>
    new Promise<void>((resolve) => {
      server = createServer((client) => {
        count++;
        const upstream = connect(target, "127.0.0.1");
        for (const socket of [client, upstream]) {
          sockets.add(socket);
          socket.on("error", () => {});
          socket.on("close", () => {
            sockets.delete(socket);
            client.destroy();
            upstream.destroy();
          });
        }
        client.on("data", (chunk) => upstream.write(chunk));
        upstream.on("data", (chunk) => {
          if (late === 0) client.write(chunk);
          else setTimeout(() => client.write(chunk), late);
        });
      });
      server.listen(port, "127.0.0.1", () => {
        const address = server?.address();
        port = typeof address === "object" && address ? address.port : 0;
        resolve();
      });
    });
  const down = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server?.close(() => resolve());
    });
  await up();
  return {
    get port() {
      return port;
    },
    delay: (ms) => {
      late = ms;
    },
    down,
    up,
    count: () => count,
    close: down,
  };
}

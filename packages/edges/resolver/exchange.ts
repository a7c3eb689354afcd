import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { decodeReply, encodeQuery, type Query, type RecordType, type Reply } from "@qmail-mysql/dns";
import { reason } from "@qmail-mysql/trouble";

export interface NameServer {
  readonly host: string;
  readonly port: number;
}

type Exchange = <T extends RecordType>(to: NameServer, query: Query<T>, ms: number) => Promise<Reply<T>>;

const MAX_OTHERS = 100; // datagrams that are no response to the query

/**
 * Sends a query by UDP, from a port that the kernel chooses at random, and waits for the response. A response that is
 * too long for UDP is asked for again by TCP. Never rejects, and never returns "other" or "truncated".
 */
export const exchange: Exchange = async (to, query, ms) => {
  const end = performance.now() + ms;
  const reply = await byUdp(to, query, ms);
  return reply === "truncated" ? byTcp(to, query, Math.max(1, end - performance.now())) : reply;
};

const byUdp: Exchange = (to, query, ms) =>
  new Promise((resolve) => {
    const socket = createSocket(to.host.includes(":") ? "udp6" : "udp4");
    const done = once(ms, resolve, () => socket.close());
    let others = 0;
    socket.on("error", (error) => done({ failed: reason(error) }));
    socket.on("message", (data) => {
      const reply = decodeReply(data, query);
      if (reply !== "other") done(reply);
      else if (++others > MAX_OTHERS) done({ failed: "too many invalid responses" });
    });
    // Connected: the kernel then drops what other addresses send, and reports that nothing listens there.
    socket.connect(to.port, to.host, () => {
      if (!done.isOver()) socket.send(encodeQuery(query));
    });
  });

/** By TCP each message follows its length, two bytes: RFC 1035, 4.2.2. */
const byTcp: Exchange = (to, query, ms) =>
  new Promise((resolve) => {
    const socket = connect(to);
    const done = once(ms, resolve, () => socket.destroy());
    const received = Buffer.allocUnsafe(2 + 0xffff);
    let size = 0;
    socket.on("error", (error) => done({ failed: reason(error) }));
    socket.on("close", () => done({ failed: "it closed the connection" }));
    socket.on("connect", () => {
      const message = encodeQuery(query);
      socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 0xff]), message]));
    });
    socket.on("data", (chunk: Buffer) => {
      size += chunk.copy(received, size);
      const length = size < 2 ? Number.POSITIVE_INFINITY : 2 + received.readUInt16BE(0);
      if (size < length) return;
      const reply = decodeReply(received.subarray(2, length), query);
      done(typeof reply === "string" ? { failed: "an invalid response" } : reply);
    });
  });

interface Done<R> {
  (reply: R | { failed: string }): void;
  readonly isOver: () => boolean;
}

/** Resolves with the first reply, or after `ms` milliseconds, and then closes the socket. */
function once<R>(ms: number, resolve: (reply: R | { failed: string }) => void, close: () => void): Done<R> {
  let isOver = false;
  const done = (reply: R | { failed: string }) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    close();
    resolve(reply);
  };
  const timer = setTimeout(() => done({ failed: "no response" }), ms);
  return Object.assign(done, { isOver: () => isOver });
}

import { connect } from "node:net";
import type { Endpoint } from "@qmail-mysql/connection";

const IDENT_PORT = 113; // RFC 1413
const MAX_INFO = 257; // bytes; remoteinfo.c stops after 256
const MAX_REPLY = 1024;

/** Asks the host of the client for the owner of the connection. Undefined without a reply within `seconds`. */
export function askIdent(local: Endpoint, remote: Endpoint, seconds: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: remote.ip, port: IDENT_PORT, localAddress: local.ip });
    let reply = "";
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(userOf(reply));
    };
    const timer = setTimeout(end, seconds * 1000);
    socket.setEncoding("latin1");
    socket.on("error", end);
    socket.on("close", end);
    socket.on("connect", () => socket.write(`${remote.port} , ${local.port}\r\n`));
    socket.on("data", (chunk: string) => {
      reply += chunk;
      if (userOf(reply) !== undefined || reply.length > MAX_REPLY) end();
    });
  });
}

/**
 * What follows the third colon of `port , port : USERID : system : user`, without blanks, up to a NUL; "" for any other
 * reply, such as an error. Undefined while the reply is incomplete.
 */
export function userOf(reply: string): string | undefined {
  const end = reply.indexOf("\n");
  const line = end < 0 ? reply : reply.slice(0, end);
  const user = line
    .split(":")
    .slice(3)
    .join(":")
    .replace(/[ \t\r]/g, "");
  if (end < 0 && user.length < MAX_INFO) return undefined;
  return user.slice(0, MAX_INFO).split("\0", 1)[0];
}

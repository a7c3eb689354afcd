import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "@qmail-mysql/connection";
import { type ProxyHeader, parseProxyHeader } from "@qmail-mysql/proxy-protocol";
import type { Netblocks } from "@qmail-mysql/relay";
import { parseIp } from "@qmail-mysql/wire";
import type { Accepted, TcpSystem } from "./edge/tcp-system.ts";

/** The ends of a connection. */
export interface Ends {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface TrueEnds {
  readonly ends: Ends;
  /** The proxy speaks for a client, or for itself; undefined without a proxy. */
  readonly via: "proxy" | "itself" | undefined;
}

const LIMIT = 5000; // milliseconds; a proxy sends its header before anything else
const LONGEST_PAUSE = 50;

/** The ends of a connection, those in the PROXY header if it comes from one of `proxies`. Throws if that is invalid. */
export async function trueEnds(
  { fd, local, remote }: Accepted,
  proxies: Netblocks,
  { system, say }: { readonly system: Pick<TcpSystem, "receive">; say(level: 2, line: string): void },
): Promise<TrueEnds> {
  const ip = proxies.size === 0 ? undefined : parseIp(remote.ip);
  if (!ip || !proxies.contains(ip, 0)) return { ends: { local, remote }, via: undefined };
  const header = await readHeader((most) => system.receive(fd, most)).catch((error: Error) => {
    throw new Error(`proxy ${remote.ip}: ${error.message}`);
  });
  if (header.isLocal) return { ends: { local, remote }, via: "itself" };
  say(2, `proxy ${remote.ip} for ${header.remote.ip}`);
  return { ends: header, via: "proxy" };
}

/** Reads exactly the header. `receive` returns what has arrived, undefined if nothing has. */
async function readHeader(receive: (most: number) => string | undefined): Promise<ProxyHeader> {
  const end = performance.now() + LIMIT;
  let bytes = "";
  let pause = 1;
  for (;;) {
    const parsed = parseProxyHeader(bytes);
    if ("header" in parsed) return parsed.header;
    if ("invalid" in parsed) throw new Error(parsed.invalid);
    const more = receive(parsed.need);
    if (more === "") throw new Error("it closed the connection before its PROXY header was complete");
    if (more !== undefined) bytes += more;
    else if (performance.now() > end) throw new Error(`no PROXY header within ${LIMIT / 1000} seconds`);
    else {
      await sleep(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
  }
}

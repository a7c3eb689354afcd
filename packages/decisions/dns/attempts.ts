/** One query to one server. */
export interface Attempt {
  readonly server: string;
  /** Milliseconds to wait for the response. */
  readonly wait: number;
}

// Milliseconds: each round asks every server once. The first three of djbdns are 1, 3 and 11 seconds.
const ROUNDS = [1000, 3000, 8000];
const MAX_SERVERS = 4;

/** The attempts of a lookup, in order: every server of the list, beginning with the one that responded last. */
export function attempts(servers: readonly string[], first: number): Attempt[] {
  const some = servers.slice(0, MAX_SERVERS);
  const from = first % Math.max(1, some.length);
  const inOrder = [...some.slice(from), ...some.slice(0, from)];
  return ROUNDS.flatMap((wait) => inOrder.map((server) => ({ server, wait })));
}

/** The name servers in the text of resolv.conf(5); without any, the one of this host. */
export function nameServers(text: string, isAddress: (word: string) => boolean): string[] {
  const servers = text.split("\n").flatMap((line) => {
    const [keyword, server = ""] = line.trim().split(/\s+/);
    return keyword === "nameserver" && isAddress(server) ? [server] : [];
  });
  return servers.length > 0 ? servers : ["127.0.0.1"];
}

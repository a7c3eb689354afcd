export { type Attempt, attempts, nameServers } from "./attempts.ts";
export { type DnsCache, openDnsCache } from "./cache.ts";
export type { Dns, Exchanger, LookUp, Records, RecordType } from "./dns.ts";
export { decodeReply, encodeQuery, type Query, type Reply } from "./message.ts";
export { formatName, parseName, reversed, reverseName } from "./name.ts";

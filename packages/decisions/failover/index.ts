export { type ServerState, type Servers, SILENCE_MS, watchServers } from "./servers.ts";
export { connectShareMs, shareOfSilence } from "./shares.ts";

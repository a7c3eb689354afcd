export { type Availability, watchAvailability } from "./availability.ts";
export { type ServerState, type Servers, SILENCE_MS, watchServers } from "./servers.ts";
export { connectShareMs, shareOfSilence } from "./shares.ts";

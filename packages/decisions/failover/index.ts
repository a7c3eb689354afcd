export { type Availability, watchAvailability } from "./availability.ts";
export { type Loss, type ServerState, type Servers, watchServers } from "./servers.ts";
export { connectShareMs, shareOfSilence } from "./shares.ts";

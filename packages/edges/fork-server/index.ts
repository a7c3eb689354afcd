export { channels } from "./client.ts";
export type { Ended, Forked } from "./forked.ts";
export { openStarter, type Starter, type StarterParts } from "./starter.ts";

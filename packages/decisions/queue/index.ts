export { envelope } from "./envelope.ts";
export { type Refusal, refusal } from "./refusal.ts";

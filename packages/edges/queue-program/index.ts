export { type ConcurrentQueue, concurrentQueue } from "./concurrent.ts";
export { type PipedQueue, pipedQueue } from "./piped.ts";
export { type QueueRun, type SpooledQueue, spooledQueue } from "./spooled.ts";

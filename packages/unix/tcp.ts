export * from "./spawn.ts";
export * from "./tcp-listener.ts";

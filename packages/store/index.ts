export * from "./database.ts";
export * from "./open.ts";
export * from "./relay.ts";
export * from "./relay-open.ts";
export * from "./relay-record.ts";
export * from "./statements.ts";
export * from "./store.ts";
export * from "./tables.ts";

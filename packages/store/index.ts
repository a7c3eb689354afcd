export * from "./database.ts";
export * from "./open.ts";
export * from "./statements.ts";
export * from "./store.ts";
export * from "./tables.ts";

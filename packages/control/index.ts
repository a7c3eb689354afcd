export * from "./key-value.ts";
export * from "./sqlserver.ts";

export * from "./host-list.ts";
export * from "./key-value.ts";
export * from "./sql.ts";
export * from "./sqlserver.ts";

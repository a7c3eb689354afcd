export * from "./alias.ts";
export * from "./like.ts";
export * from "./prefix.ts";
export * from "./virtual.ts";

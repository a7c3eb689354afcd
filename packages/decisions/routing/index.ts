export * from "./alias.ts";
export * from "./like.ts";
export * from "./prefix.ts";
export * from "./qmail-send.ts";
export * from "./rcpthosts.ts";
export * from "./users-cdb.ts";
export * from "./virtual.ts";

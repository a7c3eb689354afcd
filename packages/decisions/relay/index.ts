export * from "./answers.ts";
export * from "./login.ts";
export * from "./may-relay.ts";
export * from "./netblock.ts";
export * from "./netblocks.ts";
export * from "./relay-clients.ts";
export * from "./row.ts";

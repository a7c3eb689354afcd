export * from "./getpw.ts";
export * from "./mailbox.ts";
export * from "./splits.ts";

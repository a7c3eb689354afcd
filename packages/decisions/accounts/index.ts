export * from "./getpw.ts";
export * from "./home.ts";
export * from "./login.ts";
export * from "./mailbox.ts";
export * from "./splits.ts";

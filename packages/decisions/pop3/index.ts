export * from "./authorization.ts";
export * from "./command.ts";
export * from "./line-input.ts";
export * from "./message.ts";
export * from "./replies.ts";
export * from "./stuffing.ts";
export * from "./transaction.ts";

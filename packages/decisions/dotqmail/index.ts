export * from "./alias.ts";
export * from "./environment.ts";
export * from "./instructions.ts";
export * from "./lines.ts";
export * from "./loop.ts";
export * from "./mbox.ts";
export * from "./new-sender.ts";
export * from "./search.ts";

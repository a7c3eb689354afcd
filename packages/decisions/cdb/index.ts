export * from "./hash.ts";
export * from "./reader.ts";
export * from "./writer.ts";

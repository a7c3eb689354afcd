export * from "./virtual.ts";

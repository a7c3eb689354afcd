export * from "./address.ts";
export * from "./bytes.ts";
export * from "./fields.ts";
export * from "./ip.ts";
export * from "./lower.ts";
export * from "./netstring.ts";

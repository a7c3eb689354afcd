export * from "./deliver.ts";
export * from "./failure.ts";
export * from "./local.ts";
export * from "./order.ts";
export * from "./program-exit.ts";
export * from "./queue.ts";

export { Die, Trouble, Usage, verdict } from "./die.ts";
export { errno, errorOf, isTemporary, reason } from "./errno.ts";
export * from "./exit.ts";

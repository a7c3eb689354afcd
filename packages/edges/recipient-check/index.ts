export type { RecipientCheck } from "./check.ts";
export { openRecipientCheck, sqldRecipients } from "./open.ts";
export { lookNow, recipientPorts } from "./ports.ts";

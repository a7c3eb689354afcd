export { openRecipientCheck, type RecipientCheck, sqldRecipients } from "./open.ts";
export { lookNow, recipientPorts } from "./ports.ts";

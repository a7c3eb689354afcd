export { type Attempt, authorize, credentials, replyAfter } from "./authorization.ts";
export { lineInput, TOO_LONG } from "./line-input.ts";
export { inOrder, type Message, seenName } from "./message.ts";
export { err, ok, TOO_LONG_REPLY } from "./replies.ts";
export { stuffing } from "./stuffing.ts";
export { newSession, type Session, transact } from "./transaction.ts";

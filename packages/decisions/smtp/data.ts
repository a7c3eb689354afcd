import { End } from "./end.ts";
import { closeQueue, type Outgoing, openQueue, put } from "./enqueue.ts";
import { type Answer, refusalOf } from "./extension.ts";
import { decode, newMessageText } from "./message-text.ts";
import { GO_AHEAD, MAIL_FIRST, NO_QUEUE, RCPT_FIRST, STRAY_NEWLINE } from "./replies.ts";
import type { Session } from "./session.ts";
import { receive, say } from "./stream.ts";

/** DATA: passes the message that follows to qmail-queue. */
export function* data(session: Session): Answer {
  const { transaction } = session;
  if (!transaction) return MAIL_FIRST;
  if (transaction.recipients.length === 0) return RCPT_FIRST;
  const refusal = yield* refusalOf(session, "atData");
  if (refusal !== undefined) return refusal;
  const outgoing = yield* openQueue(session, transaction);
  if (!outgoing) return NO_QUEUE;
  say(session, GO_AHEAD);
  let isOpen = true;
  try {
    const { hops } = yield* blast(session, outgoing);
    const reply = yield* closeQueue(session, outgoing, hops);
    isOpen = false;
    return reply;
  } finally {
    if (isOpen) outgoing.queue.abandon();
  }
}

/** Passes the message on up to its final dot. */
function* blast(session: Session, outgoing: Outgoing) {
  const text = newMessageText();
  for (;;) {
    const input = yield* receive(session);
    const { bytes, used, outcome } = decode(text, input);
    session.input = input.subarray(used);
    outgoing.hasStray = text.hasStray && session.settings.refusesStray;
    if (outcome === "LF") throw new End(1, STRAY_NEWLINE);
    yield* put(session, outgoing, bytes);
    if (outcome === "end") return text;
  }
}

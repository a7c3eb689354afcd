import { acceptRecipient } from "@qmail-mysql/routing";
import { isBare, parseAddress } from "./address.ts";
import { End } from "./end.ts";
import { type Answer, type RecipientCandidate, refusalOf } from "./extension.ts";
import {
  BAD_MAIL_FROM,
  MAIL_FIRST,
  NO_GATEWAY,
  OK,
  SYNTAX,
  TOO_MANY_RECIPIENTS,
  UNREADABLE_CONTROLS,
} from "./replies.ts";
import type { Session } from "./session.ts";

const MAX_ENVELOPE = 32 << 20; // bytes of memory; qmail has no limit

/** RCPT: adds a recipient. */
export function* rcpt(session: Session, arg: string, isCut: boolean): Answer {
  const { transaction, client, settings } = session;
  if (!transaction) return MAIL_FIRST;
  const address = isCut || isBare(arg) ? undefined : parseAddress(arg, settings);
  if (address === undefined) return SYNTAX;
  if (transaction.isBarred) return BAD_MAIL_FROM;
  const isAllowed = client.relay !== undefined || isAccepted(address, session);
  const recipient: RecipientCandidate = { address, isAllowed, isExempt: false, arg };
  const refusal = yield* refusalOf(session, "atRcpt", recipient);
  if (refusal !== undefined) return refusal;
  if (!isAllowed && !recipient.isExempt) return NO_GATEWAY;
  const late = yield* refusalOf(session, "atAllowedRcpt", recipient);
  if (late !== undefined) return late;
  const added = recipient.address + (client.relay ?? "");
  transaction.size += added.length + 2; // T and NUL: qmail-queue(8)
  if (transaction.size > MAX_ENVELOPE) return TOO_MANY_RECIPIENTS;
  transaction.recipients.push(added);
  return OK;
}

/** Does rcpthosts accept it? As in qmail, a file that cannot be used ends the session. */
function isAccepted(address: string, { settings }: Session): boolean {
  try {
    return acceptRecipient(address, settings.rcptHosts, settings.isInMoreRcptHosts).accepted;
  } catch {
    throw new End(1, UNREADABLE_CONTROLS);
  }
}

import { lower } from "@qmail-mysql/wire";
import { parseAddress } from "./address.ts";
import { type Answer, type Candidate, refusalOf } from "./extension.ts";
import { OK, SYNTAX } from "./replies.ts";
import type { Session } from "./session.ts";

/** MAIL: begins a transaction. A sender that badmailfrom has is refused at each recipient. */
export function* mail(session: Session, arg: string, isCut: boolean): Answer {
  const { settings } = session;
  const address = isCut ? undefined : parseAddress(arg, settings);
  if (address === undefined) return SYNTAX;
  const sender: Candidate = { address, isExempt: false, arg };
  const refusal = yield* refusalOf(session, "atMail", sender);
  if (refusal !== undefined) return refusal;
  session.transaction = {
    sender: sender.address,
    isBarred: !sender.isExempt && isBad(sender.address, settings.badMailFrom),
    recipients: [],
    size: 0,
    messageSize: 0,
  };
  return OK;
}

/** Does control/badmailfrom have the address, or @ and its host? */
function isBad(address: string, badMailFrom: ReadonlySet<string>): boolean {
  if (badMailFrom.size === 0) return false;
  const at = address.lastIndexOf("@");
  const name = lower(address);
  return badMailFrom.has(name) || (at >= 0 && badMailFrom.has(name.slice(at)));
}

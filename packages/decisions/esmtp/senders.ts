import type { OwnsSender } from "@qmail-mysql/accounts";
import { ask, type Extension } from "@qmail-mysql/smtp";

const NOT_YOURS = "550 sorry, this login may not send with that sender address (#5.7.1)";
const TROUBLE = "451 unable to check the sender address (#4.3.0)";

/** A login sends only with its own addresses, or with the empty one: RFC 6409 §6.1. */
export function senders(ownsSender: OwnsSender): Extension {
  return {
    *atMail({ login, ports }, { address }) {
      if (login === undefined || address === "") return undefined;
      const answer = yield* ask(() => ownsSender(login, address));
      if ("owns" in answer) return answer.owns ? undefined : NOT_YOURS;
      ports.log(`trouble: ${answer.trouble}`);
      return TROUBLE;
    },
  };
}

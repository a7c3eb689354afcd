import type { CheckRecipient } from "@qmail-mysql/recipient";
import { openRecipientCheck, type RecipientCheck } from "@qmail-mysql/recipient-check";

/** The verdicts about recipients; what they ask is opened for the first one. `stays`: the process serves many sessions. */
export function openRecipients(home: string, stays: boolean): CheckRecipient {
  let opened: Promise<RecipientCheck> | undefined;
  return async (request) => {
    opened ??= openRecipientCheck(home, "qmail-smtpd", stays);
    return (await opened).check(request);
  };
}

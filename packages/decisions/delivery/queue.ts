import { refusal } from "@qmail-mysql/queue";
import { HARD, SOFT } from "@qmail-mysql/trouble";
import { Failure, type FailureCode } from "./failure.ts";
import type { Ended } from "./program-exit.ts";

/** Throws Failure unless qmail-queue accepted the mail. `custom` is what it wrote to descriptor 6. */
export function afterQueue({ code }: Ended, custom: string): void {
  const refused = refusal(code, custom);
  if (refused) throw unforwarded(refused.isPermanent ? HARD : SOFT, refused.text);
}

export function unforwarded(code: FailureCode, why: string): Failure {
  return new Failure(code, `Unable to forward message: ${why}.`);
}

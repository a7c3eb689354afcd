import { HARD, SOFT } from "@qmail-mysql/trouble";

export type FailureCode = typeof HARD | typeof SOFT;

/** A delivery that failed: SOFT defers the mail, HARD bounces it. The message is for the sender. */
export class Failure extends Error {
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Nobody has the address: there is neither an alias row nor a .qmail file for the extension. */
export class NoMailbox extends Failure {
  constructor() {
    super(HARD, "Sorry, no mailbox here by that name. (#5.1.1)"); // qmail-local.c
  }
}

/** A failure that defers the mail. */
export function temporary(message: string): Failure {
  return new Failure(SOFT, message);
}

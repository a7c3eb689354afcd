import type { CheckRecipient } from "@qmail-mysql/recipient";

/** The verdicts about recipients, and what has to be closed. */
export interface RecipientCheck {
  readonly check: CheckRecipient;
  close(): Promise<void>;
}

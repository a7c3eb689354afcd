import type { Assignment } from "@qmail-mysql/accounts";
import type { RecipientVerdict } from "@qmail-mysql/recipient";

/** The result for the mail. */
export type Outcome = "delivered" | "remote" | "bounces" | "waits";

/** A decision: the program, what it decides, and the row or file it is based on. */
export interface Step {
  readonly stage: string;
  readonly decision: string;
  readonly by: string;
}

export type Note = (stage: string, decision: string, by?: string) => void;

export interface Trace {
  readonly address: string;
  readonly steps: readonly Step[];
  /** Who controls it, as qmail-getpw prints it; null if not determined. */
  readonly owner: Assignment | null;
  /** What qmail-local would do, as `qmail-local -n` prints it. */
  readonly instructions: readonly string[];
  /** Does qmail-smtpd accept it from a client that may not relay? */
  readonly accepted: boolean;
  /** The verdict about it as a recipient; null for an address to which it is forwarded. */
  readonly recipient: RecipientVerdict | null;
  readonly outcome: Outcome;
  /** The traces of the addresses it is forwarded to. */
  readonly forwards: readonly Trace[];
}

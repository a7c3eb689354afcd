import type { Assignment } from "@qmail-mysql/accounts";

/** What becomes of the mail in the end. */
export type Outcome = "delivered" | "remote" | "bounces" | "waits";

/** A stage of qmail: who decides, what, and by which row or file. */
export interface Step {
  readonly stage: string;
  readonly decision: string;
  readonly by: string;
}

export type Note = (stage: string, decision: string, by?: string) => void;

export interface Trace {
  readonly address: string;
  readonly steps: readonly Step[];
  /** Who controls it, as qmail-getpw prints it; null when that was not found out. */
  readonly owner: Assignment | null;
  /** What qmail-local would do, as `qmail-local -n` prints it. */
  readonly instructions: readonly string[];
  /** Does qmail-smtpd accept it from a client that may not relay? */
  readonly accepted: boolean;
  readonly outcome: Outcome;
  /** The addresses it is forwarded to, followed in turn. */
  readonly forwards: readonly Trace[];
}

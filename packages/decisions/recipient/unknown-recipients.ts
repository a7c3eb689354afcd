import type { RecipientReply } from "./verdict.ts";

/** Limits for the unknown recipients of one SMTP session, against clients that try names. */
export interface UnknownLimits {
  /** Unknown recipients that are refused without a delay. */
  readonly free: number;
  /** Milliseconds that each further one adds to the delay. */
  readonly stepMs: number;
  readonly longestMs: number;
  /** The session ends at this one; 0 for no limit. */
  readonly most: number;
}

/** One mistyped address costs nothing. All delays of a session together are shorter than SMTP clients wait. */
export const UNKNOWN_LIMITS: UnknownLimits = { free: 1, stepMs: 1000, longestMs: 10_000, most: 20 };

/** What the `count`th unknown recipient of a session costs. */
export interface UnknownCost {
  /** Milliseconds before the reply. */
  readonly waitMs: number;
  /** The reply that ends the session, in place of the refusal. */
  readonly goodbye: RecipientReply | undefined;
}

const GOODBYE: RecipientReply = {
  code: 421,
  status: "4.3.0",
  text: "too many unknown recipients, goodbye",
};

/** Decides what the `count`th unknown or disabled recipient of a session costs; `count` begins at 1. */
export function unknownCost(count: number, limits: UnknownLimits = UNKNOWN_LIMITS): UnknownCost {
  const { free, stepMs, longestMs, most } = limits;
  return {
    waitMs: Math.min(Math.max(count - free, 0) * stepMs, longestMs),
    goodbye: most > 0 && count >= most ? GOODBYE : undefined,
  };
}

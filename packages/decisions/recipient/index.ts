export { UNKNOWN_LIMITS, type UnknownCost, type UnknownLimits, unknownCost } from "./unknown-recipients.ts";
export {
  type CheckRecipient,
  type RecipientReply,
  type RecipientRequest,
  type RecipientVerdict,
  refusal,
} from "./verdict.ts";

export { checkRecipient, type RecipientControls, type RecipientPorts, type Seen } from "./check.ts";
export { UNKNOWN_LIMITS, type UnknownCost, type UnknownLimits, unknownCost } from "./unknown-recipients.ts";
export {
  type CheckRecipient,
  parseVerdict,
  type RecipientReply,
  type RecipientRequest,
  type RecipientVerdict,
  refusal,
  verdictFields,
  withoutLookup,
} from "./verdict.ts";

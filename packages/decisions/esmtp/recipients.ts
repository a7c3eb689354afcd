import {
  type CheckRecipient,
  type RecipientReply,
  refusal,
  type UnknownLimits,
  unknownCost,
} from "@qmail-mysql/recipient";
import { ask, End, type Extension } from "@qmail-mysql/smtp";

const asReply = ({ code, status, text }: RecipientReply): string => `${code} ${text} (#${status})`;

/** Refuses recipients that do not exist, with a growing delay. */
export function recipients(checkRecipient: CheckRecipient, limits: UnknownLimits): Extension {
  let unknown = 0;
  return {
    *atAllowedRcpt({ ports, client }, { address }) {
      const mayRelay = client.relay !== undefined;
      const verdict = yield* ask(() => checkRecipient({ address, mayRelay }));
      const refused = refusal(verdict);
      if (!refused) return undefined;
      if (verdict.verdict === "trouble") {
        ports.log(`trouble: ${verdict.by}`);
        return asReply(refused);
      }
      const { waitMs, goodbye } = unknownCost(++unknown, limits);
      if (waitMs > 0) yield* ask(() => ports.pause(waitMs));
      if (goodbye) throw new End(1, asReply(goodbye));
      return asReply(refused);
    },
  };
}

import { checkRecipient, type RecipientPorts, verdictFields } from "@qmail-mysql/recipient";
import type { WatchedControls } from "@qmail-mysql/routing-controls";
import { fieldsOf, type Sqld } from "@qmail-mysql/sqld-client";
import { Trouble } from "@qmail-mysql/trouble";
import { nulEnded } from "@qmail-mysql/wire";
import { type Answer, found, InvalidQuestion, type Special } from "../answer.ts";
import type { Cache, Keep } from "../cache.ts";

/** What the question `checkRecipient` needs. */
export interface RecipientWorld {
  readonly ports: RecipientPorts;
  readonly controls: Pick<WatchedControls, "generation">;
  readonly cache: Cache<Answer>;
  readonly keep: Keep;
}

/** Answers `checkRecipient address` with the verdict; one of trouble is an answer T. */
export function recipientQuestion({ ports, controls, cache, keep }: RecipientWorld): Special {
  return (fields) => {
    const [address] = fields;
    if (fields.length !== 1 || address === undefined) {
      throw new InvalidQuestion("unable to answer checkRecipient: a wrong number of fields");
    }
    return cache.get(`checkRecipient ${controls.generation()} ${address}`, keep, async () => {
      const verdict = await checkRecipient({ address, mayRelay: false }, ports);
      if (verdict.verdict === "trouble") throw new Trouble(verdict.by);
      return found(verdictFields(verdict));
    });
  };
}

/** A refusal is kept like an answer that there is none: the next mailbox may be that of its address. */
export function isRefusal(answer: Answer): boolean {
  return (
    answer.startsWith("Funknown\0") || answer.startsWith("Fdisabled\0") || answer.startsWith("Fnot-ours\0")
  );
}

/** A client whose questions are answered in this process, and so from the same cache as those of others. */
export function ownClient(answer: (payload: string) => Answer | Promise<Answer>): Sqld {
  return {
    ask: async (question, fields) => fieldsOf("", await answer(nulEnded([question, ...fields]))),
    close: () => {},
  };
}

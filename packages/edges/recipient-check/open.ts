import { type CheckRecipient, parseVerdict, withoutLookup } from "@qmail-mysql/recipient";
import { type Sqld, sqldAt, sqldAtOnce, sqldPath } from "@qmail-mysql/sqld-client";
import { reason } from "@qmail-mysql/trouble";

/** The verdicts about recipients, and what has to be closed. */
export interface RecipientCheck {
  readonly check: CheckRecipient;
  close(): Promise<void>;
}

const WAIT = 30; // seconds for qmail-sqld, which has a time limit of its own

/**
 * Opens the check: with control/sqld qmail-sqld decides, in one question; else this process does, with the database
 * that control/sqlserver names. `stays` is for programs that ask more than once, which must not block while they wait.
 * Does not throw: what cannot be opened is the verdict "trouble".
 */
export async function openRecipientCheck(
  qmailHome: string,
  program: string,
  stays: boolean,
): Promise<RecipientCheck> {
  try {
    const path = sqldPath(qmailHome);
    if (path !== undefined) {
      const sqld = (stays ? undefined : sqldAtOnce(path, WAIT)) ?? sqldAt(path);
      return { check: sqldRecipients(sqld), close: async () => sqld.close() };
    }
    const { openHere } = await import("./here.ts"); // not needed with qmail-sqld
    return await openHere(qmailHome, program);
  } catch (error) {
    const by = reason(error);
    return {
      check: async (request) => withoutLookup(request) ?? { verdict: "trouble", by },
      close: async () => {},
    };
  }
}

/** The verdicts of qmail-sqld. */
export function sqldRecipients(sqld: Pick<Sqld, "ask">): CheckRecipient {
  return async (request) => {
    const early = withoutLookup(request);
    if (early) return early;
    try {
      return parseVerdict((await sqld.ask("checkRecipient", [request.address], WAIT)) ?? []);
    } catch (error) {
      return { verdict: "trouble", by: reason(error) };
    }
  };
}

import { type CheckRecipient, parseVerdict, withoutLookup } from "@qmail-mysql/recipient";
import { type Sqld, sqldAt, sqldAtOnce, sqldPath } from "@qmail-mysql/sqld-client";
import { reason } from "@qmail-mysql/trouble";
import type { RecipientCheck } from "./check.ts";

const WAIT = 30; // seconds for qmail-sqld, which has a time limit of its own

/**
 * The verdicts: with control/sqld qmail-sqld decides, in one question; else this process does, with the database that
 * control/sqlserver names. Opened for the first recipient, and again for the next one if that failed, with the verdict
 * "trouble". `stays` is for programs that ask more than once, which must not block while they wait.
 */
export async function openRecipientCheck(
  qmailHome: string,
  program: string,
  stays: boolean,
): Promise<RecipientCheck> {
  let opened: Promise<RecipientCheck> | undefined;
  const current = (): Promise<RecipientCheck> => {
    if (opened) return opened;
    const now = open(qmailHome, program, stays);
    opened = now;
    now.catch(() => {
      if (opened === now) opened = undefined;
    });
    return now;
  };
  return {
    check: async (request) => {
      const early = withoutLookup(request);
      if (early) return early;
      try {
        const one = await current();
        const verdict = await one.check(request);
        if (verdict.verdict === "trouble" && !stays) {
          // Its connection may be lost: the next recipient is asked on a new one.
          opened = undefined;
          one.close().catch(() => {});
        }
        return verdict;
      } catch (error) {
        return { verdict: "trouble", by: reason(error) };
      }
    },
    close: async () => {
      const one = await opened?.catch(() => undefined);
      await one?.close();
    },
  };
}

/** Throws Trouble. */
async function open(qmailHome: string, program: string, stays: boolean): Promise<RecipientCheck> {
  const path = sqldPath(qmailHome);
  if (path !== undefined) {
    const sqld = (stays ? undefined : sqldAtOnce(path, WAIT)) ?? sqldAt(path);
    return { check: sqldRecipients(sqld), close: async () => sqld.close() };
  }
  const { openHere } = await import("./here.ts"); // not needed with qmail-sqld
  return openHere(qmailHome, program, stays);
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

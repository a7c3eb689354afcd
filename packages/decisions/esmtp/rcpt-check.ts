import { ask, End, type Extension, flush } from "@qmail-mysql/smtp";
import type { RunProgram } from "./programs.ts";

const REFUSED = 100;
const LIMITED = 113;

const NO_MAILBOX = "553 sorry, no mailbox here by that name. (#5.1.1)";
const OVER_LIMIT = "421 you have exceeded your messaging limits (#4.3.0)";
const UNVERIFIED = "421 unable to verify recipient (#4.3.0)";
const NOT_EXECUTED = "421 unable to execute recipient check (#4.3.0)";

/**
 * The program in $RCPTCHECK decides about recipients of clients that may not relay. As with the patch, exit codes other
 * than 100, 111, 113 and 120 accept.
 */
export function rcptCheck(run: RunProgram): Extension {
  return {
    *atAllowedRcpt(session, { address }) {
      const { environment, client, helo, transaction } = session;
      const program = environment.get("RCPTCHECK");
      if (program === undefined || client.relay !== undefined) return undefined;
      const variables = {
        SENDER: transaction?.sender ?? "",
        RECIPIENT: address,
        HELO: helo ?? client.host,
      };
      yield* flush(session);
      const { code } = yield* ask(() => run(program, environment, variables));
      if (code === REFUSED) return NO_MAILBOX;
      if (code === LIMITED) throw new End(1, OVER_LIMIT);
      if (code === 111) throw new End(1, UNVERIFIED);
      if (typeof code === "string" || code === 120) throw new End(1, NOT_EXECUTED);
      return undefined;
    },
  };
}

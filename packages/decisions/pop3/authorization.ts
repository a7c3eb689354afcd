import { REFUSED, SOFT } from "@qmail-mysql/trouble";
import { type Command, nulEnded } from "@qmail-mysql/wire";
import { CAPABILITIES, err, ok } from "./replies.ts";

/** The credentials of a client. */
export interface Attempt {
  readonly user: string;
  /** The password; with APOP the digest. */
  readonly pass: string;
}

export interface Step {
  readonly reply?: string;
  /** The login name as USER gave it. */
  readonly user?: string;
  readonly attempt?: Attempt;
  readonly end?: boolean;
}

/** Handles a command of the AUTHORIZATION state (RFC 1939) as qmail-popup does; `user` is the argument of USER. */
export function authorize({ verb, arg }: Command, user: string | undefined): Step {
  switch (verb) {
    case "user":
      return arg === "" ? { reply: err("syntax error") } : { reply: ok(), user: arg };
    case "pass":
      if (user === undefined) return { reply: err("USER first") };
      return arg === "" ? { reply: err("syntax error") } : { attempt: { user, pass: arg } };
    case "apop": {
      const space = arg.indexOf(" ");
      if (space < 0) return { reply: err("syntax error") };
      return { attempt: { user: arg.slice(0, space), pass: arg.slice(space + 1) } };
    }
    case "capa":
      return { reply: CAPABILITIES };
    case "noop":
      return { reply: ok() };
    case "quit":
      return { reply: ok(), end: true };
    default:
      return { reply: err("authorization first") };
  }
}

/** The input of checkpassword on descriptor 3. The timestamp is that of the greeting, for APOP. */
export function credentials({ user, pass }: Attempt, timestamp: string): string {
  return nulEnded([user, pass, timestamp]);
}

/** How a subprogram ended: its exit code or the signal that killed it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * The reply after the subprogram has ended; undefined if it served the client. The texts are those of stock
 * qmail-popup, with the response codes of RFC 3206 for the exit codes of checkpassword: the client then knows whether
 * the password was wrong or whether to try again later.
 */
export function replyAfter({ code, signal }: Ending): string | undefined {
  if (signal !== null) return err("aack, child crashed");
  switch (code) {
    case 0:
      return undefined;
    case REFUSED:
      return err("[AUTH] authorization failed");
    case SOFT:
      return err("[SYS/TEMP] unable to check the password, try again later");
    default:
      return err("authorization failed");
  }
}

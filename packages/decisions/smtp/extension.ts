import type { Steps } from "@qmail-mysql/steps";
import type { Session } from "./session.ts";

/** Returns a reply, without line end, if there is one. */
export type Answer = Steps<string | undefined>;

/** The same, of a routine that may not have to wait. */
export type Reply = Answer | string | undefined;

/** A command with its argument; returns its reply. `isCut`: the line was longer than is kept. */
export type Command = (session: Session, arg: string, isCut: boolean) => Reply;

/** A sender or recipient that is being decided. A hook may change it. */
export interface Candidate {
  /** A byte string. */
  address: string;
  /** It is accepted whatever badmailfrom and rcpthosts say. */
  isExempt: boolean;
  /** The argument of the command, with its parameters. */
  readonly arg: string;
}

export interface RecipientCandidate extends Candidate {
  /** By rcpthosts or RELAYCLIENT. */
  readonly isAllowed: boolean;
}

/** What is added to the session if the site has configured it. A hook returns a reply to refuse the command. */
export interface Extension {
  /** Lines of the reply to EHLO. */
  readonly keywords?: (session: Session) => readonly string[];
  /** By verb, in lower case; they replace those of the same verb. */
  readonly commands?: Readonly<Record<string, Command>>;
  /** Before the greeting; the reply takes its place. */
  readonly atStart?: (session: Session) => Reply;
  /** Before each command. */
  readonly atCommand?: (session: Session, verb: string) => Reply;
  readonly atHelo?: (session: Session, name: string) => Reply;
  readonly atMail?: (session: Session, sender: Candidate) => Reply;
  readonly atRcpt?: (session: Session, recipient: RecipientCandidate) => Reply;
  /** For a recipient that will be accepted. */
  readonly atAllowedRcpt?: (session: Session, recipient: Candidate) => Reply;
  readonly atData?: (session: Session) => Reply;
  /** Returns lines, each ended by LF, to be added to a message with this header. */
  readonly atHeader?: (session: Session, header: string) => string;
  /**
   * After each reply; without a verb it ends the session, and an unknown verb, which may be a password, is "unknown".
   * `session.lastTransaction` is that of DATA and BDAT.
   */
  readonly atReply?: (session: Session, verb: string, reply: string) => void;
  /** At the end of the session, however it ends. */
  readonly atEnd?: (session: Session, code: number) => void;
}

type Hook = "atStart" | "atCommand" | "atHelo" | "atMail" | "atRcpt" | "atAllowedRcpt" | "atData";
type Subject<H extends Hook> = Parameters<NonNullable<Extension[H]>> extends [Session, infer S] ? [S] : [];

/** Calls a hook of each extension, until one refuses. */
export function* refusalOf<H extends Hook>(session: Session, hook: H, ...subject: Subject<H>): Answer {
  for (const extension of session.extensions) {
    const call = extension[hook] as ((session: Session, ...subject: Subject<H>) => Reply) | undefined;
    const refusal = yield* answerOf(call?.(session, ...subject));
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Waits for a reply if necessary. */
export function* answerOf(reply: Reply): Answer {
  return typeof reply === "object" ? yield* reply : reply;
}

import { lower } from "@qmail-mysql/wire";

/** What is known about a recipient before its message is accepted. */
export interface RecipientVerdict {
  readonly verdict:
    | "deliverable"
    /** Deliverable because of a row or a file for any address, not one for this address. */
    | "catch-all"
    /** Nobody has this address. */
    | "unknown"
    /** Its mailbox is suspended, and its mail is bounced. */
    | "disabled"
    /** No control file for recipients contains its host. */
    | "not-ours"
    /** It cannot be decided here: another host delivers it, or files are hidden from the uid that asks. */
    | "unverifiable"
    /** The database or a control file cannot be used. */
    | "trouble";
  /** The row or the file that the verdict is based on, or the error: one line. */
  readonly by: string;
}

export interface RecipientRequest {
  /** The address as qmail-smtpd passes it to qmail-queue: a byte string, without < and >. */
  readonly address: string;
  /** RELAYCLIENT is set: every recipient is accepted unchecked. */
  readonly mayRelay: boolean;
}

/** Port: the verdict about a recipient. Does not throw. */
export type CheckRecipient = (request: RecipientRequest) => Promise<RecipientVerdict>;

/** The parts of an SMTP reply; `status` is the enhanced status code of RFC 2034. */
export interface RecipientReply {
  readonly code: 421 | 451 | 550 | 553;
  readonly status: string;
  readonly text: string;
}

const REPLIES: Readonly<Record<RecipientVerdict["verdict"], RecipientReply | undefined>> = {
  deliverable: undefined,
  "catch-all": undefined,
  unverifiable: undefined,
  unknown: { code: 550, status: "5.1.1", text: "sorry, no mailbox here by that name." },
  disabled: { code: 550, status: "5.2.1", text: "sorry, that mailbox is disabled." },
  // qmail-smtpd.c
  "not-ours": {
    code: 553,
    status: "5.7.1",
    text: "sorry, that domain isn't in my list of allowed rcpthosts",
  },
  trouble: { code: 451, status: "4.3.0", text: "unable to verify recipient" },
};

/** The verdict about a request that needs no lookup; undefined for others. */
export function withoutLookup({ address, mayRelay }: RecipientRequest): RecipientVerdict | undefined {
  if (mayRelay) return { verdict: "unverifiable", by: "RELAYCLIENT: the client may relay" };
  if (lower(address) === "postmaster") {
    return { verdict: "deliverable", by: "postmaster without a host is always accepted: RFC 5321" };
  }
  return undefined;
}

/** The fields of a verdict in qmail-sqld-protocol(7). Trouble has no fields there. */
export function verdictFields({ verdict, by }: RecipientVerdict): readonly string[] {
  return [verdict, by];
}

/** The verdict with these fields; other fields are trouble. */
export function parseVerdict([verdict = "", by = ""]: readonly string[]): RecipientVerdict {
  if (!Object.hasOwn(REPLIES, verdict)) {
    return { verdict: "trouble", by: "unable to use the verdict about the recipient" };
  }
  return { verdict: verdict as RecipientVerdict["verdict"], by };
}

/** The reply with which a recipient is refused; undefined if it is accepted. */
export function refusal({ verdict }: Pick<RecipientVerdict, "verdict">): RecipientReply | undefined {
  return REPLIES[verdict];
}

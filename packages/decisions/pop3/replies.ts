/** As in qmail, the space is sent even without a text. */
export const ok = (text = ""): string => `+OK ${text}\r\n`;
export const err = (text: string): string => `-ERR ${text}\r\n`;

export const TOO_LONG_REPLY = err("line too long");

/** What of the capabilities depends on the session. */
export interface Offers {
  /** USER and PASS. */
  readonly user: boolean;
  readonly stls: boolean;
  readonly sasl: readonly string[];
}

/**
 * The reply to CAPA (RFC 2449). EXPIRE is not included because it depends on the policy of the site. AUTH-RESP-CODE: RFC
 * 3206 §5; STLS: RFC 2595 §4; SASL: RFC 5034.
 */
export function capabilities({ user, stls, sasl }: Offers): string {
  const lines = [
    "TOP",
    "UIDL",
    ...(user ? ["USER"] : []),
    ...(stls ? ["STLS"] : []),
    ...(sasl.length > 0 ? [`SASL ${sasl.join(" ")}`] : []),
    "PIPELINING",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "IMPLEMENTATION qmail-mysql",
    ".",
  ];
  return `${ok()}${lines.join("\r\n")}\r\n`;
}

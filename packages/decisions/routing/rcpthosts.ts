import { lower, splitAddress } from "@qmail-mysql/wire";

/** Whether qmail-smtpd accepts a recipient, and why. */
export type RcptDecision =
  | { readonly accepted: true; readonly by: "no host" | "no rcpthosts" }
  | { readonly accepted: true; readonly by: "rcpthosts" | "morercpthosts.cdb"; readonly entry: string }
  | { readonly accepted: false };

/** The entries that match a host, in the order tried: itself, then each suffix that begins with a dot. */
export function rcptHostKeys(host: string): string[] {
  const name = lower(host);
  const keys = name === "" ? [] : [name]; // as in rcpthosts.c, nothing is looked up for an empty host
  for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
    if (at > 0) keys.push(name.slice(at));
  }
  return keys;
}

/**
 * Does qmail-smtpd accept this recipient from a client that may not relay? qmail-smtpd(8). `rcpthosts` are the
 * entries of control/rcpthosts in lower case, undefined if there is no such file: then it accepts every recipient.
 */
export function acceptRecipient(
  address: string,
  rcpthosts: ReadonlySet<string> | undefined,
  isInMore: (key: string) => boolean,
): RcptDecision {
  if (!rcpthosts) return { accepted: true, by: "no rcpthosts" };
  const split = splitAddress(address);
  if (!split) return { accepted: true, by: "no host" };
  const keys = rcptHostKeys(split.host);
  const entry = keys.find((key) => rcpthosts.has(key));
  if (entry !== undefined) return { accepted: true, by: "rcpthosts", entry };
  const more = keys.find(isInMore);
  return more === undefined ? { accepted: false } : { accepted: true, by: "morercpthosts.cdb", entry: more };
}

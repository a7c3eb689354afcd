import type { Extension } from "@qmail-mysql/smtp";

/** ENHANCEDSTATUSCODES (RFC 2034): the status code precedes the text of each reply; qmail puts it at the end. */
export const enhancedCodes: Extension = {
  keywords: () => ["ENHANCEDSTATUSCODES"],
  atStart(session) {
    session.render = enhanced;
    return undefined;
  },
};

/** A reply with the status code at the beginning of its text, of the class of the reply. */
export function enhanced(reply: string): string {
  const [, digit, rest, text = ""] = /^([245])(\d\d) (.*)$/s.exec(reply) ?? [];
  if (digit === undefined || /^[245]\.\d{1,3}\.\d{1,3} /.test(text)) return reply;
  const [, plain = text, status = `${digit}.0.0`] = /^(.*) \(#(\d\.\d{1,3}\.\d{1,3})\)$/s.exec(text) ?? [];
  return status.startsWith(digit)
    ? `${digit}${rest} ${status} ${plain}`
    : `${digit}${rest} ${digit}.0.0 ${text}`;
}

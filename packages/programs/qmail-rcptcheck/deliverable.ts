import type { CheckRecipient, RecipientVerdict } from "@qmail-mysql/recipient";

/** Maximum bytes of a request. */
export const HEAD_LIMIT = 8192;

/** The numbers of Qmail::Deliverable, which its clients compare. */
const NUMBERS: Readonly<Record<Exclude<RecipientVerdict["verdict"], "trouble">, number>> = {
  deliverable: 0xf1,
  "catch-all": 0xf4,
  unverifiable: 0x12, // a program decides at delivery
  unknown: 0x00,
  disabled: 0x00,
  "not-ours": 0xff,
};

/** Is this the head of a request, complete with its empty line? */
export function isWholeHead(text: string): boolean {
  return /\r?\n\r?\n/.test(text);
}

/** The response to the head of a request; one request per connection. */
export async function deliverableResponse(head: string, check: CheckRecipient): Promise<string> {
  const match = /^([A-Z]+) (\S+)(?: HTTP\/1\.[01])?\r?\n/.exec(head);
  if (!match) return response("400 Bad Request", "");
  const [, method, target = ""] = match;
  const address = /^\/qd1\/deliverable\?(.*)$/.exec(target)?.[1];
  if (method !== "GET" || address === undefined) return response("403 Forbidden", "");
  const bytes = address.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (/[^\x20-\x7e]/.test(bytes)) return response("400 Bad Request", "");
  const { verdict } = await check({ address: bytes, mayRelay: false });
  if (verdict === "trouble") return response("503 Service Unavailable", "");
  return response("200 OK", `${NUMBERS[verdict]}`);
}

function response(status: string, body: string): string {
  return `HTTP/1.0 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

import type { Session } from "./session.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The date of a header field as qmail writes it: date822fmt.c. */
export function date822(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${time} -0000`;
}

/** What is not safe in a header field becomes a question mark: issafe in received.c of notqmail. */
const safe = (text: string): string => text.replace(/[^.@%+/=:\-a-zA-Z0-9[\]]/g, "?");

/** The Received field that is added to a message: received.c. */
export function received(session: Session): string {
  const { client, helo, ports } = session;
  const name = helo === undefined ? "" : ` (HELO ${safe(helo)})`;
  const info = client.info === undefined ? "" : `${safe(client.info)}@`;
  const from = `from ${safe(client.host)}${name} (${info}${safe(client.ip)})`;
  return `Received: ${from}\n  by ${safe(client.local)} with ${protocolOf(session)}; ${date822(ports.now())}\n`;
}

/** RFC 3848 for clients with TLS or a login; SMTP for others, as in qmail. */
function protocolOf({ tls, login }: Session): string {
  if (!tls && login === undefined) return "SMTP";
  return `ESMTP${tls ? "S" : ""}${login === undefined ? "" : "A"}`;
}

import { type CheckRecipient, refusal } from "@qmail-mysql/recipient";

/** Maximum bytes of a request: socketmap_table(5). */
export const QUERY_LIMIT = 10_000;

/** The reply to a request `map key`, both without the netstring: socketmap_table(5). The name of the map is ignored. */
export async function socketmapReply(request: string, check: CheckRecipient): Promise<string> {
  const space = request.indexOf(" ");
  if (space < 0) return "PERM expected a map and an address";
  const verdict = await check({ address: request.slice(space + 1), mayRelay: false });
  if (verdict.verdict === "trouble") return `TEMP ${verdict.by}`;
  return refusal(verdict) ? "NOTFOUND " : `OK ${verdict.verdict}`;
}

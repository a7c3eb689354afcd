import type { LookUp } from "@qmail-mysql/dns";
import { reversed } from "@qmail-mysql/dns";
import { Trouble } from "@qmail-mysql/trouble";
import { parseIp } from "@qmail-mysql/wire";
import type { Blocked, BlocklistClient } from "./blocked.ts";
import type { Blocklist, BlocklistSettings } from "./settings.ts";

const MAX_TEXT = 200; // bytes; rblsmtpd.c cuts the text there
const LOOKUP_FAILED = "temporary RBL lookup error"; // rblsmtpd.c

/**
 * Is this client refused, as rblsmtpd decides? RBLSMTPD decides if it is set: empty accepts, `-text` refuses with 553,
 * `text` with 451. Otherwise the first list that has the client. After a failed lookup no refusal is permanent.
 */
export async function checkBlocklists(
  { ip, rblsmtpd }: BlocklistClient,
  { lists, timeout }: BlocklistSettings,
  lookUp: LookUp,
): Promise<Blocked | undefined> {
  const refuse = (code: 451 | 553, text: string): Blocked => ({
    reply: `${code} ${text.slice(0, MAX_TEXT)}`.replace(/[^ -~]/g, "?"),
    timeout,
  });
  if (rblsmtpd !== undefined) {
    if (rblsmtpd === "") return undefined;
    return rblsmtpd.startsWith("-") ? refuse(553, rblsmtpd.slice(1)) : refuse(451, rblsmtpd);
  }
  const address = parseIp(ip);
  if (!address) return undefined;
  let hasFailed = false;
  for (const list of lists) {
    const listed = await textOf(list, `${reversed(address)}.${list.zone}`, lookUp).catch(failure);
    if (listed === FAILED) {
      hasFailed = true;
      if (list.refuses && list.failsClosed) return refuse(451, LOOKUP_FAILED);
      if (!list.refuses && !list.failsClosed) return undefined;
    } else if (listed !== "") {
      if (!list.refuses) return undefined;
      return refuse(list.bounces && !hasFailed ? 553 : 451, listed);
    }
  }
  return undefined;
}

const FAILED = Symbol();

function failure(error: unknown): typeof FAILED {
  if (error instanceof Trouble) return FAILED;
  throw error;
}

/** Not empty if the list has the client: the text of the refusal. */
async function textOf({ refuses }: Blocklist, name: string, lookUp: LookUp): Promise<string> {
  if (refuses) return (await lookUp(name, "TXT")).flat().join("");
  return (await lookUp(name, "A")).length > 0 ? "listed" : "";
}

import { judgeAsSystem, judgeHere } from "@qmail-mysql/authenticate/judge";
import { qmailHome } from "@qmail-mysql/control-files";
import { print, readAllWithin } from "@qmail-mysql/process";
import { openSite } from "@qmail-mysql/store";
import { MISUSED, OK } from "@qmail-mysql/trouble";
import { nulFields } from "@qmail-mysql/wire";
import { encodeVerdict, LOGIN_FIELDS } from "../verdict.ts";

const INPUT_LIMIT = 1024; // bytes
const READ_LIMIT = 5000; // milliseconds

/**
 * `qmail-popd --judge`: decides one login, given on descriptor 0, where that may take long: among system accounts, and
 * without qmail-sqld among mailboxes too.
 */
export async function judge(): Promise<number> {
  const fields = nulFields(await readAllWithin(0, INPUT_LIMIT, READ_LIMIT));
  if (fields?.length !== LOGIN_FIELDS) return MISUSED;
  const [login = "", password = "", challenge = ""] = fields;
  const site = await openSite(qmailHome(), "qmail-popd");
  try {
    const decide = site.sqld ? judgeAsSystem : judgeHere;
    print(encodeVerdict(await decide({ login, password, challenge }, site)));
  } finally {
    await site.store.close();
  }
  return OK;
}

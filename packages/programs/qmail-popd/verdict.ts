import type { Credentials, Verdict } from "@qmail-mysql/accounts";
import { nulEnded, nulFields } from "@qmail-mysql/wire";

// What a process that decides one login reads and writes: NUL-terminated fields.

export const LOGIN_FIELDS = 3;

export const encodeCredentials = ({ login, password, challenge }: Credentials): string =>
  nulEnded([login, password, challenge]);

export function encodeVerdict(verdict: Verdict): string {
  if ("refused" in verdict) return nulEnded([verdict.refused]);
  const { user, uid, gid, home, shell } = verdict.accepted;
  return nulEnded([user, uid, gid, home, shell]);
}

/** Undefined if it is invalid. */
export function decodeVerdict(text: string): Verdict | undefined {
  const fields = nulFields(text) ?? [];
  const [user = "", uid, gid, home = "", shell = ""] = fields;
  if (fields.length === 5) return { accepted: { user, uid: Number(uid), gid: Number(gid), home, shell } };
  const refused = (["unknown", "wrong password", "suspended", "expired"] as const).find(
    (why) => why === user,
  );
  return fields.length === 1 && refused ? { refused } : undefined;
}

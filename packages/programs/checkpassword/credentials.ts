import type { Credentials } from "@qmail-mysql/accounts";

/**
 * What checkpassword reads: login NUL password NUL timestamp NUL, and whatever follows. SMTP AUTH PLAIN and
 * LOGIN give no timestamp. Undefined when login or password have no end.
 */
export function parseCredentials(bytes: string): Credentials | undefined {
  const [login, password, challenge, ...rest] = bytes.split("\0");
  if (login === undefined || password === undefined || challenge === undefined) return undefined;
  return { login, password, challenge: rest.length > 0 ? challenge : "" };
}

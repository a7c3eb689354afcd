import type { Credentials } from "@qmail-mysql/accounts";

/**
 * Parses the input of checkpassword: login NUL password NUL timestamp NUL; what follows is ignored. SMTP AUTH PLAIN and
 * LOGIN have no timestamp. Undefined if login or password is not terminated.
 */
export function parseCredentials(bytes: string): Credentials | undefined {
  const [login, password, challenge, ...rest] = bytes.split("\0");
  if (login === undefined || password === undefined || challenge === undefined) return undefined;
  return { login, password, challenge: rest.length > 0 ? challenge : "" };
}

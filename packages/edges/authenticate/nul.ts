import type { LoginAttempt } from "@qmail-mysql/accounts";

/** Neither checkpassword nor qmail-sqld can be given such a login, which nobody has: fields end with NUL. */
export function hasNul({ login, password, challenge, service, client }: LoginAttempt): boolean {
  return [login, password, challenge, service, client.address, client.port].some((field) =>
    field.includes("\0"),
  );
}

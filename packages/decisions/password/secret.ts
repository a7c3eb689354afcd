import { equal } from "./equal.ts";

/** Is `typed` the plain password `secret`, or the response to the challenge that proves it? */
export async function verifySecret(typed: string, secret: string, challenge: string): Promise<boolean> {
  if (secret === "") return false;
  const plain = equal(typed, secret);
  // Whether a response is computed depends only on `typed`, not on `secret`.
  if (challenge === "" || !/^[0-9a-f]{32}$/.test(typed)) return plain;
  const { responses } = await import("./responses.ts");
  const { apop, cram } = responses(secret, challenge);
  return [plain, equal(typed, apop), equal(typed, cram)].includes(true);
}

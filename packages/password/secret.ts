import { createHmac } from "node:crypto";
import { digest, equal } from "./equal.ts";

/** Is `typed` the plain password `secret`, or the answer of one who knows it to the challenge? */
export function verifySecret(typed: string, secret: string, challenge: string): boolean {
  if (secret === "") return false;
  const plain = equal(typed, secret);
  if (challenge === "") return plain;
  const key = Buffer.from(secret, "latin1");
  const apop = digest("md5", challenge, secret).toString("hex"); // RFC 1939, 7
  const cram = createHmac("md5", key).update(Buffer.from(challenge, "latin1")).digest("hex"); // RFC 2195, 2
  return [plain, equal(typed, apop), equal(typed, cram)].includes(true);
}

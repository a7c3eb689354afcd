import { createHmac } from "node:crypto";
import { digest } from "./digest.ts";

/** The responses to a challenge that prove the secret, each 32 lower-case hexadecimal digits. */
export function responses(secret: string, challenge: string): { apop: string; cram: string } {
  const key = Buffer.from(secret, "latin1");
  return {
    apop: digest("md5", challenge, secret).toString("hex"), // RFC 1939, 7
    cram: createHmac("md5", key).update(Buffer.from(challenge, "latin1")).digest("hex"), // RFC 2195, 2
  };
}

import { createHash } from "node:crypto";

/** The digest of the concatenation of byte strings. */
export function digest(algorithm: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(typeof part === "string" ? Buffer.from(part, "latin1") : part);
  return hash.digest();
}

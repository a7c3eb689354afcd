import { createHash, timingSafeEqual } from "node:crypto";

/** Are two byte strings the same? Takes the same time wherever they differ, and whatever their lengths. */
export function equal(a: string | Buffer, b: string | Buffer): boolean {
  return timingSafeEqual(digest("sha256", a), digest("sha256", b));
}

/** The digest of byte strings, one after the other. */
export function digest(algorithm: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(typeof part === "string" ? Buffer.from(part, "latin1") : part);
  return hash.digest();
}

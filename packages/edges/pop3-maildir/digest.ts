/** SHA-256 in hexadecimal. Rarely needed, so its module, which takes half a millisecond, is loaded on demand. */
export function sha256(bytes: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes, "latin1").digest("hex");
}

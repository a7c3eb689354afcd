/** SHA-256 in hexadecimal. Hardly ever called: its module, half a millisecond, is loaded only then. */
export function sha256(bytes: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes, "latin1").digest("hex");
}

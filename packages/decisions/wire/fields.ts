/** Fields terminated by NUL, as printed by qmail-getpw and read by checkpassword. */
export function nulEnded(fields: readonly (string | number)[]): string {
  return fields.map((field) => `${field}\0`).join("");
}

/** The fields of such a string; undefined if the last one is not terminated. */
export function nulFields(bytes: string): string[] | undefined {
  if (bytes === "") return [];
  return bytes.endsWith("\0") ? bytes.slice(0, -1).split("\0") : undefined;
}

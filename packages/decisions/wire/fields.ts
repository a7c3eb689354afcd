/** Fields ended by NUL, as qmail-getpw prints and checkpassword reads them. */
export function nulEnded(fields: readonly (string | number)[]): string {
  return fields.map((field) => `${field}\0`).join("");
}

/** The fields of such a string; undefined when the last one has no end. */
export function nulFields(bytes: string): string[] | undefined {
  if (bytes === "") return [];
  return bytes.endsWith("\0") ? bytes.slice(0, -1).split("\0") : undefined;
}

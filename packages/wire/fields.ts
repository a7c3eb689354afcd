/** Fields ended by NUL, as qmail-getpw prints and checkpassword reads them. */
export function nulEnded(fields: readonly (string | number)[]): string {
  return fields.map((field) => `${field}\0`).join("");
}

/** Base64 (RFC 4648 §4) of a byte string. */
export const base64 = (bytes: string): string => btoa(bytes);

/** The byte string of a Base64 text; undefined if it is invalid. */
export function fromBase64(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

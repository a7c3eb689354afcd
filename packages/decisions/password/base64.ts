const DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The 64 digits of crypt(3), lowest first: `count` of them for the three bytes at `order` (undefined: 0). */
export function digits(bytes: Buffer, order: readonly (number | undefined)[], count = 4): string {
  let word = order.reduce<number>((sum, at) => sum * 256 + (at === undefined ? 0 : (bytes[at] ?? 0)), 0);
  let text = "";
  for (let i = 0; i < count; i++) {
    text += DIGITS.charAt(word & 63);
    word >>= 6;
  }
  return text;
}

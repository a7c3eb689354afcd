const DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Three bytes, those at `order` (undefined: 0), as `count` base-64 digits of crypt(3), the lowest first. */
export function digits(bytes: Buffer, order: readonly (number | undefined)[], count = 4): string {
  let word = order.reduce<number>((sum, at) => sum * 256 + (at === undefined ? 0 : (bytes[at] ?? 0)), 0);
  let text = "";
  for (let i = 0; i < count; i++) {
    text += DIGITS.charAt(word & 63);
    word >>= 6;
  }
  return text;
}

import { digits } from "./base64.ts";
import { digest } from "./digest.ts";

const ROUNDS = 1000;

/** The hash of $1$ and $apr1$ (`magic`): Poul-Henning Kamp's algorithm in FreeBSD's crypt(3). */
export function md5Crypt(magic: string, password: Buffer, saltText: string): string {
  const salt = Buffer.from(saltText, "latin1");
  const inner = digest("md5", password, salt, password);
  const parts = [password, Buffer.from(magic), salt, repeat(inner, password.length)];
  for (let n = password.length; n > 0; n >>= 1) {
    parts.push(n & 1 ? Buffer.alloc(1) : password.subarray(0, 1));
  }
  let final = digest("md5", ...parts);
  for (let i = 0; i < ROUNDS; i++) {
    const round = [i & 1 ? password : final];
    if (i % 3) round.push(salt);
    if (i % 7) round.push(password);
    round.push(i & 1 ? final : password);
    final = digest("md5", Buffer.concat(round));
  }
  const groups = [0, 1, 2, 3].map((i) => digits(final, [i, i + 6, i + 12]));
  return groups.join("") + digits(final, [4, 10, 5]) + digits(final, [undefined, undefined, 11], 2);
}

/** `bytes` repeated up to `length` bytes. */
export function repeat(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

import { digits } from "./base64.ts";
import { digest } from "./digest.ts";
import { repeat } from "./md5-crypt.ts";

/** The hash of $5$ and $6$, with the names of Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512". */
export function shaCrypt(
  algorithm: "sha256" | "sha512",
  password: Buffer,
  saltText: string,
  rounds: number,
): string {
  const salt = Buffer.from(saltText, "latin1");
  const b = digest(algorithm, password, salt, password);
  const parts = [password, salt, repeat(b, password.length)];
  for (let n = password.length; n > 0; n >>= 1) parts.push(n & 1 ? b : password);
  let c = digest(algorithm, ...parts);
  const p = repeat(digest(algorithm, repeat(password, password.length ** 2)), password.length);
  const s = repeat(digest(algorithm, repeat(salt, salt.length * (16 + (c[0] ?? 0)))), salt.length);
  for (let i = 0; i < rounds; i++) {
    const round = [i & 1 ? p : c];
    if (i % 3) round.push(s);
    if (i % 7) round.push(p);
    round.push(i & 1 ? c : p);
    c = digest(algorithm, Buffer.concat(round));
  }
  return encode(c);
}

/** Encodes one byte from each third of the digest at a time, their order rotating: step 22 of the paper. */
function encode(bytes: Buffer): string {
  const long = bytes.length === 64;
  const third = Math.floor(bytes.length / 3);
  let text = "";
  for (let i = 0; i < third; i++) {
    const [x, y, z] = [i, i + third, i + 2 * third];
    const turns = [[x, y, z], long ? [y, z, x] : [z, x, y], long ? [z, x, y] : [y, z, x]];
    text += digits(bytes, turns[i % 3] ?? []);
  }
  return text + (long ? digits(bytes, [undefined, undefined, 63], 2) : digits(bytes, [undefined, 31, 30], 3));
}

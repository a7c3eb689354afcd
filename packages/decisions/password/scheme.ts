import { type Crypt, verifyCrypt } from "./crypt.ts";
import { digest } from "./digest.ts";
import { equal } from "./equal.ts";
import { verifySecret } from "./secret.ts";
import { Unverifiable } from "./unverifiable.ts";

/** A stored password with a prefix for its scheme, as in Dovecot: {SSHA256.HEX}… */
export interface Scheme {
  readonly name: string;
  readonly encoding: "HEX" | "B64" | "";
  readonly rest: string;
}

const PLAIN = ["PLAIN", "CLEAR", "CLEARTEXT"];

/** Schemes of crypt(3) and Argon2; the hash that follows tells the method. */
const CRYPTS =
  "CRYPT DES-CRYPT MD5-CRYPT MD5 SHA256-CRYPT SHA512-CRYPT BLF-CRYPT ARGON2ID ARGON2I ARGON2D".split(" ");

const DIGESTS: Readonly<Record<string, string>> = {
  "PLAIN-MD5": "md5",
  "LDAP-MD5": "md5",
  SHA: "sha1",
  SHA1: "sha1",
  SHA256: "sha256",
  SHA512: "sha512",
};
/** What is stored is the digest, then the salt, which was appended to the password. */
const SALTED: Readonly<Record<string, string>> = {
  SMD5: "md5",
  SSHA: "sha1",
  SSHA256: "sha256",
  SSHA512: "sha512",
};

/** The scheme that a stored password begins with; undefined if none. */
export function parseScheme(stored: string): Scheme | undefined {
  const [, name, encoding = "", rest] = /^\{([A-Z0-9-]+)(?:\.([A-Z0-9]+))?\}(.*)$/is.exec(stored) ?? [];
  if (name === undefined || rest === undefined) return undefined;
  const known = { HEX: "HEX", B64: "B64", BASE64: "B64", "": "" } as const;
  const Encoding = encoding.toUpperCase();
  if (!(Encoding in known)) throw new Unverifiable("its {SCHEME} has an encoding that is not known here");
  return { name: name.toUpperCase(), encoding: known[Encoding as keyof typeof known], rest };
}

/** Does `typed` match what follows the scheme? Throws Unverifiable. */
export async function verifyScheme(
  typed: string,
  { name, encoding, rest }: Scheme,
  challenge: string,
  crypt?: Crypt,
): Promise<boolean> {
  if (rest === "") return false;
  const text = () => (encoding === "" ? rest : decode(rest, encoding).toString("latin1"));
  if (PLAIN.includes(name)) return verifySecret(typed, text(), challenge);
  if (CRYPTS.includes(name)) return verifyCrypt(typed, text(), crypt);
  const algorithm = DIGESTS[name] ?? SALTED[name];
  if (algorithm === undefined) throw new Unverifiable("its {SCHEME} is not known here");
  const { length } = digest(algorithm);
  // Without a salt Dovecot distinguishes hex from base64 by the length.
  const hex = encoding === "" && name in DIGESTS && rest.length === 2 * length;
  const raw = decode(rest, hex ? "HEX" : encoding || "B64");
  const salt = raw.subarray(length);
  if (raw.length < length || (salt.length > 0 && name in DIGESTS)) {
    throw new Unverifiable("what follows its {SCHEME} has not the length of such a digest");
  }
  return equal(digest(algorithm, typed, salt).toString("latin1"), raw.toString("latin1", 0, length));
}

function decode(text: string, encoding: "HEX" | "B64"): Buffer {
  const shape = encoding === "HEX" ? /^([0-9a-f]{2})*$/i : /^[A-Za-z0-9+/]*={0,2}$/;
  if (!shape.test(text)) throw new Unverifiable(`what follows its {SCHEME} is not ${encoding}`);
  return Buffer.from(text, encoding === "HEX" ? "hex" : "base64");
}

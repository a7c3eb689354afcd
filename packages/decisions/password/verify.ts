import { lower } from "@qmail-mysql/wire";
import { type Crypt, verifyCrypt } from "./crypt.ts";
import { verifySecret } from "./secret.ts";
import { Unverifiable } from "./unverifiable.ts";

/** The values of mailbox.password_type. */
export type PasswordType = "Password" | "Crypt-Password" | "MySQL-Password";

// CRYPT_MAX_PASSPHRASE_SIZE of libxcrypt is 512 with its NUL.
const MAX_TYPED = 511;

/**
 * Does `typed` match the stored password? Both are byte strings. If the challenge is not empty and the stored password
 * is plain, a response to the challenge (APOP, CRAM-MD5) matches too. An empty stored password matches nothing. `crypt`
 * is the system's crypt(3). Throws Unverifiable.
 */
export async function verify(
  typed: string,
  stored: string,
  passwordType: string,
  challenge = "",
  crypt?: Crypt,
): Promise<boolean> {
  if (stored === "" || typed.includes("\0") || typed.length > MAX_TYPED) return false;
  switch (lower(passwordType)) {
    case "password":
      return verifySecret(typed, stored, challenge);
    case "mysql-password":
      return (await import("./mysql.ts")).verifyMysql(typed, stored);
    case "crypt-password": {
      if (!stored.startsWith("{")) return verifyCrypt(typed, stored, crypt);
      const { parseScheme, verifyScheme } = await import("./scheme.ts");
      const scheme = parseScheme(stored);
      return scheme ? verifyScheme(typed, scheme, challenge, crypt) : verifyCrypt(typed, stored, crypt);
    }
    default:
      throw new Unverifiable("password_type: expected Password, Crypt-Password or MySQL-Password");
  }
}

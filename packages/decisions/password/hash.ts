import { randomBytes } from "node:crypto";
import { mysqlPassword } from "./mysql.ts";
import { shaCrypt } from "./sha-crypt.ts";
import type { PasswordType } from "./verify.ts";

/** The form in which a password is stored; for Crypt-Password $6$ with a random salt. Byte strings. */
export function hash(password: string, passwordType: PasswordType): string {
  switch (passwordType) {
    case "Password":
      return password;
    case "MySQL-Password":
      return mysqlPassword(password);
    case "Crypt-Password": {
      const salt = randomBytes(12).toString("base64").replaceAll("+", "."); // 16 digits of crypt(3)
      return `$6$${salt}$${shaCrypt("sha512", Buffer.from(password, "latin1"), salt, 5000)}`;
    }
  }
}

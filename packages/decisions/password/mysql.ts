import { lower } from "@qmail-mysql/wire";
import { digest } from "./digest.ts";
import { equal } from "./equal.ts";
import { Unverifiable } from "./unverifiable.ts";

/** Is `typed` the password of a value of PASSWORD(), in the old or the new form? Throws Unverifiable. */
export function verifyMysql(typed: string, stored: string): boolean {
  if (/^\*[0-9a-f]{40}$/i.test(stored)) return equal(lower(mysqlPassword(typed)), lower(stored));
  if (/^[0-9a-f]{16}$/i.test(stored)) return equal(oldMysqlPassword(typed), lower(stored));
  if (/^[*!]/.test(stored)) return false; // locked, as in *NOLOGIN
  throw new Unverifiable("it is not a value of PASSWORD()");
}

/** PASSWORD() since MySQL 4.1. */
export function mysqlPassword(typed: string): string {
  return `*${digest("sha1", digest("sha1", typed)).toString("hex").toUpperCase()}`;
}

/** PASSWORD() before MySQL 4.1, OLD_PASSWORD() since. Blanks and tabs are ignored. */
export function oldMysqlPassword(typed: string): string {
  let nr = 1345345333;
  let nr2 = 0x12345671;
  let add = 7;
  for (const byte of Buffer.from(typed.replace(/[ \t]/g, ""), "latin1")) {
    nr ^= (Math.imul((nr & 63) + add, byte) + (nr << 8)) | 0;
    nr2 = (nr2 + ((nr2 << 8) ^ nr)) | 0;
    add += byte;
  }
  return [nr, nr2].map((n) => (n & 0x7fffffff).toString(16).padStart(8, "0")).join("");
}

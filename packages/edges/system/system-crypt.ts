import { libcrypt } from "@qmail-mysql/native";
import { perlCrypt } from "./perl-crypt.ts";

/**
 * crypt(3) of this system: the hash of `password` as `setting` says, byte strings; undefined when it fails or
 * there is none. Calling the library needs a runtime that may make code, which it may not under Node, nor
 * under an address-space limit of less than some gigabytes; then perl calls it.
 */
export function systemCrypt(password: string, setting: string): string | undefined {
  return libcrypt(password, setting) ?? perlCrypt(password, setting);
}

import { libcrypt } from "@qmail-mysql/native";
import { perlCrypt } from "./perl-crypt.ts";

/**
 * crypt(3) of this system: the hash of `password` by `setting`, byte strings; undefined if it fails or does not exist.
 * If the runtime cannot call the library, under Node or with an address-space limit below 3 GB, perl calls it.
 */
export function systemCrypt(password: string, setting: string): string | undefined {
  return libcrypt(password, setting) ?? perlCrypt(password, setting);
}

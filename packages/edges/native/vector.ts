import { cString, type Native } from "./native.ts";

/**
 * An argument vector of execve(2): the address of each string, then 0, and the strings, each terminated by NUL. Both
 * have to be referenced until the call.
 */
export interface Vector {
  readonly pointers: BigUint64Array;
  readonly bytes: Uint8Array;
}

export function vector({ address }: Pick<Native, "address">, strings: readonly string[]): Vector {
  const bytes = cString(strings.join("\0"));
  const pointers = new BigUint64Array(strings.length + 1);
  let at = address(bytes);
  for (let i = 0; i < strings.length; i++) {
    pointers[i] = BigInt(at);
    at += (strings[i]?.length ?? 0) + 1;
  }
  return { pointers, bytes };
}

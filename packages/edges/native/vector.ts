import { cString, type Native } from "./native.ts";

/**
 * What execve(2) takes: NUL-ended byte strings, and the addresses of each, 0 last. To be kept, as a whole, until
 * the call.
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

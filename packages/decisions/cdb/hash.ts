/** Bytes or a byte string. */
export type Bytes = Uint8Array | string;

/** Bytes of the header: 256 pairs of table position and slot count. The records follow. cdb(5). */
export const HEADER = 2048;

/** The hash of a key: cdb(5). */
export function cdbHash(key: Bytes): number {
  let hash = 5381;
  const { length } = key;
  if (typeof key === "string") {
    for (let i = 0; i < length; i++) hash = Math.imul(hash, 33) ^ key.charCodeAt(i);
  } else {
    for (let i = 0; i < length; i++) hash = Math.imul(hash, 33) ^ (key[i] as number);
  }
  return hash >>> 0;
}

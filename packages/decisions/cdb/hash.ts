/** Bytes, or a byte string: whichever the caller has. */
export type Bytes = Uint8Array | string;

/** 256 pairs of table position and slot count; the records begin behind them. cdb(5). */
export const HEADER = 2048;

/** The hash of a key, as every cdb tool computes it. */
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

import { type Bytes, cdbHash, HEADER } from "./hash.ts";

/** Reads `length` bytes at `position`; fewer only at the end of the file. */
export type ReadAt = (position: number, length: number) => Uint8Array;

export interface CdbReader {
  /** The data of the first record with this key; undefined if there is none. */
  get(key: Bytes): Uint8Array | undefined;
  /** The data of every record with this key, in the order of the file. */
  all(key: Bytes): Generator<Uint8Array>;
  /** Every record, in the order of the file. */
  records(): Generator<{ readonly key: Uint8Array; readonly data: Uint8Array }>;
}

/** The part of the file that was read is not valid; the message contains the position. */
export class CdbError extends Error {}

/**
 * Reads a cdb of `size` bytes. Throws CdbError if the part of the file that a lookup reads is inconsistent; as with
 * the C library, damage elsewhere is not noticed. Each length and position is checked against the size of the file
 * before it is used, and no search takes more steps than its table has slots.
 */
export function cdbReader(readAt: ReadAt, size: number): CdbReader {
  const bytes = (position: number, length: number): Uint8Array => {
    if (position + length > size) {
      throw new CdbError(`not a cdb: ${length} bytes at ${position} reach behind its end at ${size}`);
    }
    const found = readAt(position, length);
    if (found.length !== length) throw new CdbError(`not a cdb: it ends before ${position + length}`);
    return found;
  };
  const pair = (from: Uint8Array, at: number): [number, number] => {
    const view = new DataView(from.buffer, from.byteOffset + at, 8);
    return [view.getUint32(0, true), view.getUint32(4, true)];
  };

  // A copy: readAt may return the same buffer each time.
  const header = bytes(0, HEADER).slice();
  const tableAt = (table: number): [position: number, slots: number] => {
    const [position, slots] = pair(header, 8 * table);
    if (position < HEADER || position + 8 * slots > size) {
      throw new CdbError(`not a cdb: table ${table} at ${position} with ${slots} slots`);
    }
    return [position, slots];
  };

  const lengths = (record: number, end: number): [number, number] => {
    const [keyLength, dataLength] = record < HEADER ? [size, size] : pair(bytes(record, 8), 0);
    if (record + 8 + keyLength + dataLength > end) {
      throw new CdbError(`not a cdb: the record at ${record} reaches behind ${end}`);
    }
    return [keyLength, dataLength];
  };

  function* all(key: Bytes): Generator<Uint8Array> {
    const hash = cdbHash(key);
    const [table, slots] = tableAt(hash & 255);
    const first = slots === 0 ? 0 : (hash >>> 8) % slots;
    for (let probe = 0; probe < slots; probe++) {
      const [slotHash, record] = pair(bytes(table + 8 * ((first + probe) % slots), 8), 0);
      if (record === 0) return;
      if (slotHash !== hash) continue;
      const [keyLength, dataLength] = lengths(record, size);
      if (keyLength !== key.length || !isEqual(bytes(record + 8, keyLength), key)) continue;
      yield bytes(record + 8 + keyLength, dataLength).slice();
    }
  }
  return {
    all,
    get: (key) => {
      for (const data of all(key)) return data;
      return undefined;
    },
    *records() {
      const end = Math.min(...Array.from({ length: 256 }, (_, table) => tableAt(table)[0]));
      for (let at = HEADER; at < end; ) {
        const [keyLength, dataLength] = lengths(at, end);
        const key = bytes(at + 8, keyLength).slice();
        yield { key, data: bytes(at + 8 + keyLength, dataLength).slice() };
        at += 8 + keyLength + dataLength;
      }
    },
  };
}

function isEqual(found: Uint8Array, key: Bytes): boolean {
  if (typeof key !== "string") return found.every((byte, i) => byte === key[i]);
  return found.every((byte, i) => byte === key.charCodeAt(i));
}
